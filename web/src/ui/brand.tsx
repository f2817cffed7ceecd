export function Brand() {
  return (
    <span class="brand">
      <img src="/assets/icon.svg" alt="" width="28" height="28" />
      Roomkey
    </span>
  );
}
