import { now } from "../state/clock";
import { ago, clock, exact, left } from "../words/time";

interface MomentProps {
  time: string | null | undefined;
  /** `ago`: how long since; `left`: how long until; `clock`: the time of day. */
  as?: "ago" | "left" | "clock";
  /** What to say where there is no time. */
  none?: string;
}

/** A moment as people say it; the exact time is its title. */
export function Moment({ time, as = "ago", none = "–" }: MomentProps) {
  if (time === null || time === undefined) return <span class="muted">{none}</span>;
  const text = as === "clock" ? clock(time) : as === "left" ? left(time, now.value) : ago(time, now.value);
  return (
    <time class="moment" dateTime={time} title={exact(time)} data-expired={text === "expired" || undefined}>
      {text}
    </time>
  );
}
