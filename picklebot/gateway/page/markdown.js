// Markdown as elements, built token by token from a short list of tags. No HTML is parsed, ours or anybody's; a
// picture is a link to it, and is never fetched.

import MarkdownIt from "./vendor/markdown-it.mjs";
import { h, icon } from "./dom.js";

const TAGS = new Set(["p", "ul", "ol", "li", "blockquote", "hr", "table", "thead", "tbody", "tr", "th", "td", "strong", "em", "s", "br", "code"]);
const SAFE = /^(?:https?:\/\/|mailto:)/iu;

const parser = new MarkdownIt({ html: false, linkify: true, breaks: true });
parser.validateLink = (url) => SAFE.test(url.trim());

/** Show `text` in `container`. What did not change since the last call keeps its elements: text may grow as it is read. */
export function render(container, text) {
  if (container.markdownText === text) return;
  container.markdownText = text;
  const lines = text.split("\n");
  const blocks = topLevel(parser.parse(text, {}));
  blocks.forEach((tokens, place) => {
    const [from, to] = tokens[0].map ?? [0, lines.length];
    const key = `${tokens[0].type}\n${lines.slice(from, to).join("\n")}`;
    const old = container.children[place];
    if (old?.markdownSource === key) return;
    const made = build(tokens);
    made.markdownSource = key;
    if (old) old.replaceWith(made);
    else container.append(made);
  });
  while (container.children.length > blocks.length) container.lastElementChild.remove();
}

function topLevel(tokens) {
  const blocks = [];
  let open = [];
  for (const token of tokens) {
    open.push(token);
    if (token.level === 0 && token.nesting <= 0) {
      blocks.push(open);
      open = [];
    }
  }
  return blocks;
}

function build(tokens) {
  const top = document.createDocumentFragment();
  const stack = [top];
  for (const token of tokens) {
    const here = stack.at(-1);
    if (token.nesting === 1) stack.push(here.appendChild(opened(token)));
    else if (token.nesting === -1) closed(stack.pop());
    else if (token.type === "inline") here.append(build(token.children));
    else here.append(single(token));
  }
  return top.children.length === 1 && top.childNodes.length === 1 ? top.firstElementChild : top;
}

function opened(token) {
  if (token.type === "link_open") return link(token.attrGet("href"));
  if (token.type === "heading_open") return h(`h${Math.min(6, Number(token.tag[1]) + 1)}`);
  if (token.type === "paragraph_open" && token.hidden) return h("span");
  if (token.type === "table_open") return h("table");
  const element = h(TAGS.has(token.tag) ? token.tag : "span");
  if (token.type === "ordered_list_open" && token.attrGet("start")) element.setAttribute("start", token.attrGet("start"));
  const align = /^text-align:(left|right|center)$/u.exec(token.attrGet("style") ?? "");
  if (align) element.classList.add(`align-${align[1]}`);
  return element;
}

function single(token) {
  switch (token.type) {
    case "text":
      return document.createTextNode(token.content);
    case "softbreak":
    case "hardbreak":
      return h("br");
    case "hr":
      return h("hr");
    case "code_inline":
      return h("code", {}, token.content);
    case "fence":
    case "code_block":
      return code(token.content, token.info.trim().split(/\s+/u, 1)[0]);
    case "image":
      return picture(token);
    default:
      return document.createTextNode(token.content);
  }
}

function link(href) {
  return h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow", referrerpolicy: "no-referrer" });
}

/** A link says where it leads, unless its text does. */
function closed(element) {
  if (element.tagName !== "A") return;
  const address = URL.canParse(element.href) ? new URL(element.href) : null;
  const where = address ? address.host || address.pathname : element.getAttribute("href");
  if (!element.textContent.includes(where)) element.append(h("span.host", {}, ` (${where})`));
}

function picture(token) {
  const element = link(token.attrGet("src"));
  element.append(`Picture: ${token.content || "without a name"}`);
  closed(element);
  return element;
}

function code(text, language) {
  const shown = h("code", {}, text.replace(/\n$/u, ""));
  const copy = navigator.clipboard && h("button.quiet", { type: "button", onclick: () => copied(copy, text) }, "Copy");
  return h(
    "figure.code",
    {},
    h("figcaption", {}, h("span", {}, language || "text"), copy),
    h("pre", { tabindex: "0", role: "region", "aria-label": `Code${language ? `, ${language}` : ""}` }, shown),
  );
}

async function copied(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.replaceChildren(icon("check"), "Copied");
  } catch {
    button.textContent = "The browser did not allow it";
  }
  setTimeout(() => button.replaceChildren("Copy"), 2000);
}
