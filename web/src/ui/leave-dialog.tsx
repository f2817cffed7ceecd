import type { Chat } from "../state/chat";
import { ConfirmDialog } from "./confirm-dialog";

export function LeaveDialog({ chat }: { chat: Chat }) {
  const channel = chat.channel.value;
  const close = () => (chat.dialog.value = null);
  if (channel === undefined) return null;
  const isPrivate = channel.visibility === "private";
  const leave = () =>
    chat.attempt(async () => {
      await chat.client.channels.leave(channel.id);
      chat.select(null);
    });
  return (
    <ConfirmDialog
      title={`Leave ${channel.name}?`}
      text={
        isPrivate
          ? "You will not see its messages any more. To come back you need an invite."
          : "You will not get its messages any more. It is public: you can join it again."
      }
      action="Leave"
      onConfirm={leave}
      onClose={close}
    />
  );
}
