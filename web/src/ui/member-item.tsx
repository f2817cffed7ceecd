import type { Member, Presence, Role } from "roomkey";
import { now } from "../state/world";
import { displayName } from "../words/names";
import { agoText } from "../words/time";
import { Avatar } from "./avatar";
import { Icon } from "./icon";

const ROLES: readonly Role[] = ["reader", "member", "moderator", "owner"];

interface MemberItemProps {
  member: Member;
  presence: Presence | undefined;
  isMe: boolean;
  myRole: Role | undefined;
  onRole: (role: Role) => Promise<boolean>;
  onRemove: () => Promise<boolean>;
}

export function MemberItem({ member, presence, isMe, myRole, onRole, onRemove }: MemberItemProps) {
  const { user, role } = member;
  const name = displayName(user);
  const manages = !isMe && (myRole === "owner" || myRole === "moderator") && rank(myRole) > rank(role);
  return (
    <li class="member" data-testid="member" data-user-id={user.id} data-role={role} data-online={presence?.online}>
      <Avatar user={user} presence={presence?.online ?? null} />
      <span class="member-words">
        <span class="member-name">
          <bdi>{name}</bdi>
          {isMe && <span class="tag">you</span>}
        </span>
        <span class="member-about">{aboutText(presence, manages ? null : role, now.value)}</span>
      </span>
      {manages && (
        <>
          <select
            class="compact"
            aria-label={`Role of ${name}`}
            data-testid="member-role"
            value={role}
            onChange={(event) => void onRole(event.currentTarget.value as Role)}
          >
            {ROLES.filter((one) => rank(one) <= rank(myRole)).map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
          <button
            type="button"
            class="quiet square"
            aria-label={`Remove ${name}`}
            title={`Remove ${name}`}
            data-testid="member-remove"
            onClick={() => void onRemove()}
          >
            <Icon name="close" />
          </button>
        </>
      )}
    </li>
  );
}

function rank(role: Role): number {
  return ROLES.indexOf(role);
}

function aboutText(presence: Presence | undefined, role: Role | null, nowMs: number): string {
  const parts = [role !== null && role !== "member" && role, presenceText(presence, nowMs)];
  return parts.filter(Boolean).join(" · ");
}

function presenceText(presence: Presence | undefined, nowMs: number): string | null {
  if (presence === undefined) return null;
  if (presence.online) return "online";
  return presence.lastSeen === null ? "offline" : `seen ${agoText(presence.lastSeen, nowMs)}`;
}
