/** The one message of the form. Where there is none, a word of welcome takes its space, so that nothing moves. */
export function SignInMessage({ problem }: { problem: { code: string; text: string } | null }) {
  return (
    <div id="sign-in-message" class="sign-in-message" role="alert">
      {problem === null ? (
        <span>To the chat on {location.host}</span>
      ) : (
        <p data-testid="error-notice" data-code={problem.code}>
          {problem.text}
        </p>
      )}
    </div>
  );
}
