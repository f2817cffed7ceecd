/** What went wrong in a form. */
export function Problem({ problem }: { problem: { readonly text: string; readonly code: string } | null }) {
  return (
    <div class="form-problem" role="alert">
      {problem !== null && (
        <p data-testid="error-notice" data-code={problem.code}>
          {problem.text}
        </p>
      )}
    </div>
  );
}
