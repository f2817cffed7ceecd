import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { type Chat, problemOf } from "../state/chat";
import { inviteAddress } from "../state/selection";
import { watch } from "../state/watch";
import { displayName } from "../words/names";
import { Icon } from "./icon";
import { InviteForm } from "./invite-form";
import { MemberItem } from "./member-item";
import { Problem } from "./problem";

/** Who is in the channel, and what those who manage it do: add, invite, give roles, remove. */
export function MembersPanel({ chat, channelId }: { chat: Chat; channelId: string }) {
  const title = useRef<HTMLHeadingElement>(null);
  const problem = useSignal<{ text: string; code: string } | null>(null);
  const stream = chat.client.members(channelId);
  const { isLoaded, error, members } = watch(stream).value;
  const presence = watch(chat.client.presence({ channelId })).value;
  const role = chat.channel.value?.role;
  const manages = role === "owner" || role === "moderator";
  const close = () => (chat.showsMembers.value = false);

  useLayoutEffect(() => title.current?.focus(), []);

  const attempt = async (action: () => Promise<unknown>): Promise<boolean> => {
    problem.value = null;
    try {
      await action();
      return true;
    } catch (thrown) {
      problem.value = problemOf(thrown);
      return false;
    }
  };
  const copyInvite = () =>
    attempt(async () => {
      const { invite } = await stream.invite({ uses: 1 });
      await navigator.clipboard.writeText(inviteAddress(invite));
      chat.notices.tell("The link is copied. Whoever opens it first becomes a member.");
    });

  const leave = () => {
    const { name, visibility } = chat.channel.value ?? { name: "this channel" };
    chat.question.value = {
      title: `Leave ${name}?`,
      text:
        visibility === "public"
          ? "You will not get its messages any more. It is public: you can join it again."
          : "You will not see its messages any more. To come back you need an invite.",
      action: "Leave",
      confirmed: async () => {
        await chat.client.channels.leave(channelId);
        chat.select(null);
      },
    };
  };

  const isOnline = (id: string) => presence.get(id)?.online ?? false;
  const sorted = [...members].sort(
    (a, b) =>
      Number(isOnline(b.user.id)) - Number(isOnline(a.user.id)) ||
      displayName(a.user).localeCompare(displayName(b.user)),
  );
  return (
    <section
      class="members"
      aria-label="Members"
      data-testid="members"
      onKeyDown={(event) => event.key === "Escape" && close()}
    >
      <header class="members-header">
        <h1 ref={title} tabIndex={-1}>
          Members{isLoaded && ` (${members.length})`}
        </h1>
        <button type="button" class="quiet square" aria-label="Close" data-testid="members-close" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {manages && (
        <div class="members-invite">
          <InviteForm onInvite={(who) => attempt(() => stream.add(who))} />
          <button type="button" class="link" data-testid="invite-link" onClick={() => void copyInvite()}>
            <Icon name="link" /> Copy an invite link
          </button>
        </div>
      )}
      <Problem problem={problem.value ?? (error === null ? null : problemOf(error))} />
      <ul class="members-list" aria-busy={!isLoaded}>
        {sorted.map((member) => (
          <MemberItem
            key={member.user.id}
            member={member}
            presence={presence.get(member.user.id)}
            isMe={member.user.id === chat.me.id}
            myRole={role}
            onRole={(next) => attempt(() => stream.add({ userId: member.user.id }, next))}
            onRemove={() => attempt(() => stream.remove(member.user.id))}
          />
        ))}
      </ul>
      <footer class="members-footer">
        {role === "owner" && (
          <button
            type="button"
            class="quiet"
            data-testid="settings-open"
            onClick={() => (chat.dialog.value = "settings")}
          >
            <Icon name="edit" /> Channel settings
          </button>
        )}
        <button type="button" class="quiet" data-testid="leave-channel" onClick={leave}>
          <Icon name="leave" /> Leave this channel
        </button>
      </footer>
    </section>
  );
}
