import { displayName } from "../words/names";

const HUES = 8;

interface AvatarProps {
  user: { readonly id: string; readonly username?: string | null };
  /** Whether the user is online; without it, nothing is said of that. */
  presence?: boolean | null;
}

/** A user's initial on a colour that is always the same for the same user. */
export function Avatar({ user, presence = null }: AvatarProps) {
  return (
    <span class={`avatar hue-${hue(user.id)}`} aria-hidden="true">
      {[...displayName(user)][0]?.toUpperCase()}
      {presence !== null && <span class="dot" data-online={presence} />}
    </span>
  );
}

function hue(id: string): number {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65_521;
  return sum % HUES;
}
