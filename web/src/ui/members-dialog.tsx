import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Chat } from "../chat/chat";
import { mayInvite, type Channel, type Member } from "../wire/channel";
import { asFailure } from "../wire/failure";
import { displayName } from "../wire/user";
import { Avatar } from "./avatar";
import { Icon } from "./icon";
import { InviteForm } from "./invite-form";

interface MembersDialogProps {
  chat: Chat;
  channel: Channel;
  onClose: () => void;
}

export function MembersDialog({ chat, channel, onClose }: MembersDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const members = useSignal<readonly Member[] | null>(null);
  const problem = useSignal<{ code: string; text: string } | null>(null);

  const attempt = async (action: () => Promise<void>) => {
    problem.value = null;
    try {
      await action();
      members.value = await chat.channels.members(channel.id);
      return true;
    } catch (thrown) {
      const failure = asFailure(thrown);
      problem.value = { code: failure.code, text: failure.message };
      return false;
    }
  };

  useEffect(() => {
    dialog.current?.showModal();
    void attempt(async () => undefined);
  }, []);

  return (
    <dialog ref={dialog} class="members" aria-labelledby="members-title" data-testid="members" onClose={onClose}>
      <header>
        <h2 id="members-title">
          Members of <bdi>{channel.name}</bdi>
        </h2>
        <button
          type="button"
          class="quiet"
          aria-label="Close"
          data-testid="members-close"
          onClick={() => dialog.current?.close()}
        >
          <Icon name="close" />
        </button>
      </header>
      {mayInvite(channel) && <InviteForm onInvite={(who) => attempt(() => chat.channels.invite(channel.id, who))} />}
      <div class="form-problem" role="alert">
        {problem.value !== null && (
          <p data-testid="error-notice" data-code={problem.value.code}>
            {problem.value.text}
          </p>
        )}
      </div>
      <ul aria-busy={members.value === null}>
        {members.value?.map(({ user, role }) => (
          <li key={user.id} data-testid="member" data-user-id={user.id} data-role={role}>
            <Avatar user={user} />
            <bdi>{displayName(user)}</bdi>
            {user.id === chat.me.id && <span class="tag">you</span>}
            {role !== "member" && <span class="tag">{role}</span>}
          </li>
        ))}
      </ul>
    </dialog>
  );
}
