/** Moves the focus among the messages: one stop for Tab, arrows from there, and keys for what a message offers. */
export function moveAmongMessages(event: KeyboardEvent): void {
  const box = event.currentTarget;
  if (!(box instanceof HTMLElement) || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.target instanceof Element && event.target.closest("textarea, button, a") !== null) return;
  const messages = [...box.querySelectorAll<HTMLElement>(".message")];
  const at = messages.findIndex((message) => message === document.activeElement);
  const next = {
    ArrowUp: at < 0 ? lastOnScreen(box, messages) : Math.max(0, at - 1),
    ArrowDown: at < 0 ? lastOnScreen(box, messages) : Math.min(messages.length - 1, at + 1),
    Home: at < 0 ? undefined : 0,
    End: at < 0 ? undefined : messages.length - 1,
  }[event.key];
  if (next !== undefined) {
    event.preventDefault();
    messages[next]?.focus();
    return;
  }
  const offer = { e: "edit", Delete: "delete" }[event.key];
  const button = offer && messages[at]?.querySelector<HTMLElement>(`[data-offer="${offer}"]`);
  if (!button) return;
  event.preventDefault();
  button.click();
}

function lastOnScreen(box: HTMLElement, messages: readonly HTMLElement[]): number {
  const { bottom } = box.getBoundingClientRect();
  return messages.findLastIndex((message) => message.getBoundingClientRect().top < bottom);
}
