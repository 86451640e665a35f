# SPDX-License-Identifier: Apache-2.0
"""Pages from templates. A page needs no other file and no network."""

from importlib import resources

import jinja2
from markupsafe import Markup

__all__ = ["render_page"]


def render_page(package: str, name: str, *, pictures: dict[str, str], **values) -> str:
    """Fill in the template ``name`` from the folder ``pages`` of ``package``, as HTML.

    Parameters
    ----------
    pictures : dict of str to str
        SVG text by name, inserted as it is. Every other text is escaped.
    **values
        Further names of the template.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined,
                                     trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_packaged(package, name))
    style = _packaged("spikewright.report", "style.css")
    return template.render(style=Markup(style), **values,
                           pictures={name: Markup(svg) for name, svg in pictures.items()})


def _packaged(package: str, name: str) -> str:
    """Text of the file ``name`` in the folder ``pages`` of ``package``."""
    return (resources.files(package) / "pages" / name).read_text(encoding="utf-8")
