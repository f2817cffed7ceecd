import { Window } from "happy-dom";
import { act, type ReactNode, StrictMode } from "react";
import { createElement } from "react";
import { createRoot, type Root } from "react-dom/client";

import type { TestClock } from "./clock.js";

const window = new Window();
Object.assign(globalThis, { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: true });

export interface Screen {
  readonly text: string;
  show(node: ReactNode): Promise<void>;
  /** Does something, and lets everything happen that follows from it. */
  run(action: () => unknown, ms?: number): Promise<void>;
  unmount(): Promise<void>;
}

/** A page under StrictMode, on a hand-set clock. */
export async function screen(clock: TestClock, node: ReactNode): Promise<Screen> {
  const element = window.document.createElement("div");
  const root: Root = createRoot(element as unknown as Element);
  const run = async (action: () => unknown, ms = 0) => {
    await act(async () => {
      await action();
      await clock.advance(ms);
    });
    // What effects have begun, which React runs at the end of an act.
    for (let turn = 0; turn < 2; turn += 1) await act(() => clock.advance());
  };
  const show = (shown: ReactNode) => run(() => root.render(createElement(StrictMode, null, shown)));
  await show(node);
  return {
    get text() {
      return element.textContent ?? "";
    },
    show,
    run,
    unmount: () => run(() => root.unmount(), 1_000),
  };
}
