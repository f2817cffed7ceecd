interface ProblemProps {
  problem: { readonly code: string; readonly text: string } | null;
}

/** What went wrong in a form. The place for it is always there, so that nothing moves. */
export function Problem({ problem }: ProblemProps) {
  return (
    <div class="problem" role="alert">
      {problem !== null && (
        <p data-testid="problem" data-code={problem.code}>
          {problem.text}
        </p>
      )}
    </div>
  );
}
