/** Why something was refused, read out at once; nothing when it was not. */
export function Alert({ text }: { text: string | undefined }) {
  if (!text) return null;
  return (
    <p role="alert" className="text-failed">
      {text}
    </p>
  );
}
