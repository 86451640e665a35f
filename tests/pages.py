# SPDX-License-Identifier: Apache-2.0
"""What every page must have, and its measures in a browser."""

import html
import json
import re
import shutil
import subprocess

import pytest

from spikewright.base.version import version

__all__ = ["check_on_phone", "check_page", "pictures"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PHONE = 400             # pixels
SMALLEST = 11           # pixels of type that can be read

# The narrowest window of a browser is wider than a phone, but a frame in it may be as narrow.
MEASURED = """<!DOCTYPE html><iframe style="width: {width}px; height: 900px; border: 0"
srcdoc="{page}"></iframe><pre></pre><script>
onload = () => {{
  const page = document.querySelector("iframe").contentDocument, sizes = [];
  const shown = element => element.getClientRects().length > 0;
  for (const text of page.querySelectorAll("main *")) {{
    if (!shown(text) || ![...text.childNodes].some(n => n.nodeType == 3 && n.data.trim())) continue;
    const drawn = text.getScreenCTM ? text.getScreenCTM() : {{a: 1, b: 0}};
    sizes.push(Math.hypot(drawn.a, drawn.b) * parseFloat(getComputedStyle(text).fontSize));
  }}
  document.querySelector("pre").textContent = JSON.stringify({{
    width: page.documentElement.scrollWidth, smallest: Math.min(...sizes),
    drawings: [...page.querySelectorAll("svg")].filter(shown).map(e => e.classList[0]),
    cut: [...page.querySelectorAll(".scroll")].filter(e => e.scrollWidth > e.clientWidth).length,
  }});
}};
</script>"""


def pictures(text: str) -> list[str]:
    """What the pictures of a page show, in words. Both drawings of a picture must say the same."""
    tags = re.findall("<svg[^>]*>", text)
    found = [re.fullmatch(r'<svg class="(\w+)" role="img" aria-label="([^"]+)" .*>', tag, re.DOTALL)
             for tag in tags]
    assert all(found), tags
    said = [html.unescape(match[2]) for match in found]
    assert [match[1] for match in found] == ["wide", "narrow"] * (len(tags) // 2)
    assert said[::2] == said[1::2]
    return said[::2]


def check_page(text: str) -> None:
    """Check the name of the program, its version, and the colours of a dark screen."""
    assert f"<b>Spikewright</b> {version()} · " in text
    assert f'<meta name="generator" content="Spikewright {version()}">' in text
    light, dark = re.findall(r"--ground: (#\w+);", text)
    assert (light, dark) == ("#ffffff", "#14181d")
    assert "@media screen and (prefers-color-scheme: dark) { :root { --ground: #14181d;" in text
    # Every colour is a variable, but for scales of a picture.
    drawn = "".join(re.findall("<svg.*?</svg>", text, re.DOTALL))
    assert "var(--ink)" in drawn and "#1f2933" not in drawn
    assert set(re.findall(r"var\(--(\w+)\)", text)) <= {"block", *re.findall(r"--(\w+):", text)}


def check_on_phone(text: str, folder) -> None:
    """Check in a browser that a page has room on a phone, and type that can be read."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("Chromium is not installed")
    path = folder / "phone.html"
    path.write_text(MEASURED.format(width=PHONE, page=html.escape(text)), encoding="utf-8")
    done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
                           "--hide-scrollbars", f"--user-data-dir={folder / 'browser'}",
                           path.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    found = json.loads(re.search("<pre>(.+?)</pre>", done.stdout)[1])
    assert found["width"] == PHONE and found["cut"] == 0
    assert set(found["drawings"]) <= {"narrow"}
    assert found["smallest"] >= SMALLEST
