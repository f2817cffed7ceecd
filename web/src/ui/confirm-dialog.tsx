import { useSignal } from "@preact/signals";
import { Dialog } from "./dialog";

interface ConfirmDialogProps {
  title: string;
  text: string;
  action: string;
  /** Does it, and tells whether it was done. */
  onConfirm: () => Promise<boolean>;
  onClose: () => void;
}

/** Asks before something that cannot be taken back. */
export function ConfirmDialog({ title, text, action, onConfirm, onClose }: ConfirmDialogProps) {
  const isBusy = useSignal(false);
  const confirm = async () => {
    isBusy.value = true;
    await onConfirm();
    onClose();
  };
  return (
    <Dialog title={title} testId="confirm" onClose={onClose}>
      <p>{text}</p>
      <div class="dialog-actions">
        <button type="button" class="secondary" data-testid="confirm-no" onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          class="danger"
          autofocus
          aria-busy={isBusy.value}
          data-testid="confirm-yes"
          onClick={() => void confirm()}
        >
          {action}
        </button>
      </div>
    </Dialog>
  );
}
