import { displayName, type User } from "../wire/user";

const HUES = 8;

/** A user's initial on a colour that is always the same for the same user. */
export function Avatar({ user }: { user: User }) {
  return (
    <span class={`avatar hue-${hue(user.id)}`} aria-hidden="true">
      {[...displayName(user)][0]?.toUpperCase()}
    </span>
  );
}

function hue(id: string): number {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65_521;
  return sum % HUES;
}
