interface OutsideProps {
  text: string;
  isCode?: boolean;
}

/** A text that others chose: shown as it is, without being able to turn the writing direction of what is around it. */
export function Outside({ text, isCode = false }: OutsideProps) {
  return isCode ? (
    <bdi class="code" title={text}>
      {text}
    </bdi>
  ) : (
    <bdi title={text}>{text}</bdi>
  );
}
