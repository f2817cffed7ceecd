import { Icon } from "./icon";

export function Reload({ onReload, isLoading }: { onReload: () => void; isLoading: boolean }) {
  return (
    <button
      type="button"
      class="secondary square"
      aria-label="Reload"
      title="Reload"
      data-testid="reload"
      aria-busy={isLoading}
      onClick={onReload}
    >
      <Icon name="refresh" />
    </button>
  );
}
