export type Part = { readonly text: string; readonly href?: string };

const ADDRESS = /https?:\/\/[^\s<>"“”]+/g;
/** What ends a sentence rather than an address; a closing bracket belongs to it where one was opened in it. */
const TRAILING = /[.,;:!?'"»”’]+$/;

/** A text with the addresses of pages in it told apart. */
export function linkParts(text: string): readonly Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const { 0: match, index } of text.matchAll(ADDRESS)) {
    const href = trimmed(match);
    if (!URL.canParse(href)) continue;
    if (index > end) parts.push({ text: text.slice(end, index) });
    parts.push({ text: href, href });
    end = index + href.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

function trimmed(address: string): string {
  const bare = address.replace(TRAILING, "");
  return bare.endsWith(")") && !bare.includes("(") ? trimmed(bare.slice(0, -1)) : bare;
}
