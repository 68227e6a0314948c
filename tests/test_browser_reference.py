"""The page of the API's description on a phone."""

import pytest
from playwright.sync_api import Browser

from tests.support.platform import RunningPlatform
from tests.support.screens import fresh_browser

# Words of `main` that stand on more than one line. A name may break at _, - and /, a word never.
BROKEN = r"""() => {
  const broken = [];
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const word of texts.currentNode.data.matchAll(/[^\s\-\/_]+/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_no_word_of_the_description_breaks(browser: Browser, platform: RunningPlatform, width: int) -> None:
    context = fresh_browser(browser, viewport={"width": width, "height": 740})
    page = context.new_page()
    page.goto(f"{platform.url}/api")
    assert page.get_by_role("heading", name="Schemas").is_visible()
    assert page.evaluate(BROKEN) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
