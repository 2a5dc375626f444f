"""What is asked of a page once it is drawn: small scripts, and what they answer."""

OVERFLOW = """(() => {
  const wide = [...document.querySelectorAll('main *')].filter((element) => {
    if (element.closest('svg') || element.closest('.scroll, pre, .unseen') || !element.getClientRects().length) return false;
    const box = element.getBoundingClientRect();
    return box.right > innerWidth + 1 || box.left < -1;
  });
  const told = wide.map((element) => `${element.tagName}.${element.className}: ${element.textContent.slice(0, 60)}`);
  return document.documentElement.scrollWidth > innerWidth ? [...told, `the page is ${document.documentElement.scrollWidth} wide`] : told;
})()"""
"""What stands beyond the edge of the window, but for what may be moved sideways in a box of its own."""

CUT = """(() => {
  const told = [];
  for (const svg of document.querySelectorAll('svg.chart')) {
    const frame = svg.getBoundingClientRect();
    if (!frame.width) continue;
    for (const text of svg.querySelectorAll('text')) {
      const box = text.getBoundingClientRect();
      if (!box.width) continue;
      if (box.right > frame.right + 2 || box.left < frame.left - 2) told.push(`${svg.getAttribute('aria-label').slice(0, 30)}: ${text.textContent}`);
    }
  }
  return told;
})()"""
"""Words of a chart that its edge cuts off."""

OVERLAP = """(() => {
  const told = [];
  const common = (a, b) => Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
    Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const look = (elements, where) => {
    const boxes = elements.map((element) => [element.textContent.trim(), element.getBoundingClientRect()]).filter(([text, box]) => text && box.width);
    boxes.forEach(([text, box], place) => boxes.slice(place + 1).forEach(([other, its]) => {
      const least = Math.min(box.width * box.height, its.width * its.height);
      if (common(box, its) > 0.25 * least) told.push(`${where}: ${text} / ${other}`);
    }));
  };
  for (const svg of document.querySelectorAll('svg.chart')) look([...svg.querySelectorAll('text')], svg.getAttribute('aria-label').slice(0, 30));
  look([...document.querySelectorAll('h1, h2, h3, h4, p, li, dt, dd, figcaption, nav a, button')].filter((element) => !element.querySelector('p, li')), 'page');
  return told;
})()"""
"""Words that stand on other words: a quarter of the smaller box, for the boxes of letters are higher than letters."""

SMALL = """[...document.querySelectorAll('main *')].filter((element) =>
  [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && !element.closest('svg, small, sup, .unseen') &&
  element.getClientRects().length && parseFloat(getComputedStyle(element).fontSize) < 11.5).map((element) => element.textContent.slice(0, 40))"""
"""Words of the page that are smaller than 11.5 px."""

LETTERS = """[...document.querySelectorAll('.narrow svg.chart text')].map((text) => text.getBoundingClientRect().height).filter((height) => height && height < 7)"""
"""Heights of horizontal words in charts for a narrow screen that nobody could read."""

AXE = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'best-practice']}).then((found) => found.violations.map((its) => " \
    "`${its.id}: ${its.nodes.map((node) => node.target.join(' ') + ' ' + (node.any[0]?.message ?? '')).slice(0, 3).join('; ')}`))"  # fmt: skip
"""Findings of axe-core by the rules of WCAG 2 A and AA, and its best practices."""
