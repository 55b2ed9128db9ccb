// What is wrong with the page as it is drawn: a list of sentences, empty where all is well.
(() => {
  const found = [];
  for (const details of document.querySelectorAll("details")) details.open = true;
  const wide = document.documentElement.clientWidth;
  const isShown = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 0;
  const words = (e) => (e.textContent || e.tagName).trim().replace(/\s+/g, " ").slice(0, 40);
  // A line of text is higher than what is drawn of it.
  const meet = (a, b, room = 1, height = room) =>
    a.left < b.right - room && b.left < a.right - room && a.top < b.bottom - height && b.top < a.bottom - height;

  // Nothing is wider than the screen, but what scrolls inside its own box.
  if (document.documentElement.scrollWidth > wide) found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  for (const e of document.body.querySelectorAll("*")) {
    if (e.closest(".scroll, pre")?.contains(e) && !e.matches(".scroll, pre")) continue;
    if (e.closest("svg") && !e.matches("svg")) continue;
    if (!isShown(e)) continue;
    const box = e.getBoundingClientRect();
    if (box.right > wide + 0.5 || box.left < -0.5) found.push(`<${e.tagName}> '${words(e)}' goes beyond the screen`);
    if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === "hidden")
      found.push(`<${e.tagName}> '${words(e)}' is cut off`);
  }

  // In a figure every text is inside, and none meets another.
  for (const svg of document.querySelectorAll("svg")) {
    if (!isShown(svg)) continue;
    const frame = svg.getBoundingClientRect();
    const title = svg.querySelector("title")?.textContent ?? "";
    const texts = [...svg.querySelectorAll("text")].map((e) => [e.textContent, e.getBoundingClientRect()]);
    for (const [text, box] of texts)
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
        found.push(`'${text}' is cut off in the figure '${title}'`);
    texts.sort((a, b) => a[1].left - b[1].left);
    for (let i = 0; i < texts.length; i++)
      for (let j = i + 1; j < texts.length && texts[j][1].left < texts[i][1].right; j++)
        if (meet(texts[i][1], texts[j][1], 1.5, 3))
          found.push(`'${texts[i][0]}' and '${texts[j][0]}' overlap in the figure '${title}'`);
    const scale = frame.width / svg.viewBox.baseVal.width;
    const least = Math.min(...[...svg.querySelectorAll("text")].map((e) => parseFloat(e.getAttribute("font-size")) * scale));
    if (least < 9) found.push(`text of ${least.toFixed(1)} px in the figure '${title}'`);
  }

  // Blocks of the page stand beside or below each other.
  const blocks = [...document.querySelectorAll("h1, h2, p, figcaption, summary, .scroll, pre, svg")].filter(isShown);
  const boxes = blocks.map((e) => e.getBoundingClientRect());
  for (let i = 0; i < blocks.length; i++)
    for (let j = i + 1; j < blocks.length; j++)
      if (!blocks[i].contains(blocks[j]) && meet(boxes[i], boxes[j]))
        found.push(`'${words(blocks[i])}' and '${words(blocks[j])}' overlap`);

  // Text can be read: WCAG's contrast of what it is drawn on.
  const channel = (c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const luminance = (color) => {
    const [r, g, b] = color.match(/[\d.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  };
  const contrast = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const page = getComputedStyle(document.body).backgroundColor;
  for (const e of document.querySelectorAll("h1, h2, p, figcaption, summary, td, th, pre")) {
    if (!isShown(e)) continue;
    const style = getComputedStyle(e);
    const behind = style.backgroundColor === "rgba(0, 0, 0, 0)" ? page : style.backgroundColor;
    if (contrast(style.color, behind) < 4.5) found.push(`'${words(e)}' can hardly be read`);
  }
  for (const e of document.querySelectorAll("svg text")) {
    if (!isShown(e)) continue;
    let behind = e.previousElementSibling;
    if (e.classList.contains("plot-text")) behind = e.closest("svg").querySelector(".plot-background");
    const ratio = contrast(getComputedStyle(e).fill, getComputedStyle(behind).fill);
    if (ratio < 3.5) found.push(`'${e.textContent}' can hardly be read in a figure (${ratio.toFixed(1)})`);
  }
  return found;
})()
