# SPDX-License-Identifier: Apache-2.0
"""The pages of the docs: files that they name exist, pictures are fresh, the site builds."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.make.pictures.blocks import PICTURES, draw

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *(f"docs/{path.relative_to(ROOT / 'docs')}"
                        for path in sorted((ROOT / "docs").rglob("*.md")))]

# A file as the text names it: a path from the root of the project, in code quotes.
NAMED = re.compile(r"`((?:base|boards|data|docs|examples|golden|host|hw|live|model|network|plan"
                   r"|quantize|record|report|sim|spikewright|tests|train|verify)/[\w./-]*)[`,]")


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_exist(page):
    missing = [name for name in NAMED.findall((ROOT / page).read_text())
               if not (ROOT / name).exists()]
    assert missing == []


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_as_it_is_drawn(name):
    """Stale pictures fail here: run python -m docs.make.pictures.blocks."""
    assert (ROOT / "docs" / "pictures" / f"{name}.svg").read_text() == draw(PICTURES[name])


def test_site_builds(tmp_path):
    """Strict: a link without a target fails."""
    pytest.importorskip("mkdocs", reason="the site is built with the packages of the extra 'docs'")
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "-d", tmp_path],
                          cwd=ROOT, text=True, capture_output=True, check=False,
                          env=os.environ | {"NO_MKDOCS_2_WARNING": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "index.html").is_file()
