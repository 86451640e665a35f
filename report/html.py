# SPDX-License-Identifier: Apache-2.0
"""Pages from templates. A page needs no other file and no network."""

from collections.abc import Mapping
from importlib import resources

import jinja2
from markupsafe import Markup

from spikewright.base.version import version

from .colours import colour_rules, themed
from .markdown import digits
from .style import Picture

__all__ = ["render_page"]

# In the folder `pages` of this package: what all pages are made from.
SHARED = ("frame.html", "table.html")


def render_page(package: str, name: str, *, pictures: Mapping[str, Picture], **values) -> str:
    """Fill in the template ``name`` from the folder ``pages`` of ``package``, as HTML.

    The template extends ``frame.html``, which has the style and the name of this program.

    Parameters
    ----------
    pictures : dict of str to Picture
        Inserted as SVG text, by name. Every other text is escaped.
    **values
        Further names of the template.
    """
    ours = "spikewright.report"
    sources = {shared: _packaged(ours, shared) for shared in SHARED}
    environment = jinja2.Environment(loader=jinja2.DictLoader(sources), autoescape=True,
                                     undefined=jinja2.StrictUndefined,
                                     trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"digits": lambda value: digits(value).replace("-", "−"),
                            "themed": themed}
    template = environment.from_string(_packaged(package, name))
    return template.render(
        style=Markup(colour_rules() + _packaged(ours, "style.css")), version=version(), **values,
        pictures={name: Markup(themed("".join(picture.svg.values())))
                  for name, picture in pictures.items()})


def _packaged(package: str, name: str) -> str:
    """Text of the file ``name`` in the folder ``pages`` of ``package``."""
    return (resources.files(package) / "pages" / name).read_text(encoding="utf-8")
