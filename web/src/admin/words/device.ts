/** Who says so in its user agent, most specific first: Edge calls itself Chrome, and Chrome calls itself Safari. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/HeadlessChrome\/(\d+)/, "Headless Chrome"],
  [/Edg(?:e|A|iOS)?\/(\d+)/, "Edge"],
  [/OPR\/(\d+)/, "Opera"],
  [/SamsungBrowser\/(\d+)/, "Samsung Internet"],
  [/(?:Firefox|FxiOS)\/(\d+)/, "Firefox"],
  [/(?:Chrome|CriOS)\/(\d+)/, "Chrome"],
  [/Version\/(\d+).*Safari\//, "Safari"],
  [/^node-XMLHttpRequest/, "Node.js"],
  [/^(?:node|undici)\b/i, "Node.js"],
  [/^Python\/[\d.]+ (?:aiohttp|websockets)/i, "Python"],
  [/^python/i, "Python"],
  [/^okhttp\/(\d+)/i, "OkHttp"],
  [/^Dart\/(\d+)/, "Dart"],
  [/CFNetwork/, "An app"],
  [/^curl\/(\d+)/, "curl"],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/CrOS/, "ChromeOS"],
  [/Mac OS X|Macintosh|Darwin/, "macOS"],
  [/Linux|X11/, "Linux"],
];

const UNKNOWN_MAX = 40;

/** A user agent in words: `Chrome 141 on Windows`. It is what the client says, and proves nothing. */
export function device(userAgent: string | null): string {
  if (userAgent === null || userAgent.trim() === "") return "Not said";
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1];
  for (const [pattern, name] of PROGRAMS) {
    const found = pattern.exec(userAgent);
    if (found === null) continue;
    const program = found[1] === undefined ? name : `${name} ${found[1]}`;
    return system === undefined ? program : `${program} on ${system}`;
  }
  if (system !== undefined && userAgent.startsWith("Mozilla/")) return `A browser on ${system}`;
  const [product = ""] = userAgent.trim().split(/\s/);
  return product.length > UNKNOWN_MAX ? `${product.slice(0, UNKNOWN_MAX)}…` : product;
}
