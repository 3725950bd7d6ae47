/** A key, as it stands on the keyboard; `g f` is two keys after each other. */
export function Kbd({ children }: { children: string }) {
  return (
    <span className="inline-flex gap-1">
      {children.split(' ').map((key) => (
        <kbd
          key={key}
          className="rounded border border-slate-700 bg-slate-800 px-1.5 py-0.5 font-mono text-xs text-slate-300"
        >
          {key}
        </kbd>
      ))}
    </span>
  );
}
