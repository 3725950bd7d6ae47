import { FileText, Upload } from 'lucide-react';
import { useId, useState } from 'react';
import { classNames } from '@/utils/classNames';
import { formatBytes } from '@/utils/format';

interface DropzoneProps {
  label: string;
  hint: string;
  accept: string;
  file: File | null;
  onFile: (file: File) => void;
}

/** A file by click, by keyboard or by dropping it. */
export function Dropzone({ label, hint, accept, file, onFile }: DropzoneProps) {
  const id = useId();
  const [isOver, setIsOver] = useState(false);
  const Icon = file ? FileText : Upload;

  const take = (files: FileList | null) => {
    const first = files?.[0];
    if (first) onFile(first);
  };

  return (
    <label
      htmlFor={id}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        take(event.dataTransfer.files);
      }}
      className={classNames(
        'flex cursor-pointer flex-col items-center rounded-lg border border-dashed px-6 py-8 text-center transition-colors',
        'focus-within:border-emerald-500 hover:border-slate-600',
        isOver ? 'border-emerald-500 bg-emerald-500/5' : 'border-slate-700 bg-slate-900',
      )}
    >
      <Icon className="mb-2 size-8 text-slate-400" aria-hidden />
      <span className="text-sm font-medium text-slate-200">{file ? file.name : label}</span>
      <span className="mt-1 text-xs text-slate-400">{file ? formatBytes(file.size) : hint}</span>
      <input
        id={id}
        type="file"
        accept={accept}
        className="sr-only"
        aria-label={label}
        onChange={(event) => take(event.target.files)}
      />
    </label>
  );
}
