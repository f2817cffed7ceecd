import { Icon, type IconName } from "./icon";

export type Status = "sending" | "sent" | "delivered" | "read" | "failed";

const MARKS: Record<Status, { icon: IconName; text: string }> = {
  sending: { icon: "clock", text: "Sending" },
  sent: { icon: "check", text: "Sent" },
  delivered: { icon: "checks", text: "Delivered" },
  read: { icon: "checks", text: "Read" },
  failed: { icon: "warning", text: "Not sent" },
};

/** How far a message of mine has come. */
export function StatusMark({ status }: { status: Status }) {
  const { icon, text } = MARKS[status];
  return (
    <span class="mark" title={text} data-testid="message-mark">
      <Icon name={icon} />
      <span class="sr-only">{text}</span>
    </span>
  );
}
