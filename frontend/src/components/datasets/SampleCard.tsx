import { ChevronDown, ChevronUp } from 'lucide-react';
import { useState } from 'react';
import { CopyButton } from '@/components/common/CopyButton';
import { IconButton } from '@/components/common/IconButton';
import type { DatasetSample } from '@/types/dataset.types';
import { classNames } from '@/utils/classNames';
import { formatInteger } from '@/utils/format';

interface SampleCardProps {
  sample: DatasetSample;
  source: string;
}

/** One document, three lines of it until it is opened. */
export function SampleCard({ sample, source }: SampleCardProps) {
  const [isOpen, setIsOpen] = useState(false);
  const name = `Sample #${formatInteger(sample.index + 1)}`;
  return (
    <li className="rounded-lg bg-slate-800/30 p-4">
      <div className="mb-2 flex items-center justify-between gap-4">
        <h4 className="min-w-0 truncate text-sm font-medium text-slate-300">
          {name}
          {sample.title && <span className="text-slate-400"> · {sample.title}</span>}
        </h4>
        <div className="flex shrink-0">
          <CopyButton label={`Copy ${name}`} text={sample.text} />
          <IconButton
            label={`${isOpen ? 'Fold' : 'Unfold'} ${name}`}
            icon={isOpen ? ChevronUp : ChevronDown}
            aria-expanded={isOpen}
            onClick={() => setIsOpen(!isOpen)}
          />
        </div>
      </div>
      <p
        className={classNames(
          'font-mono text-sm break-words text-slate-200',
          isOpen ? 'whitespace-pre-wrap' : 'line-clamp-3',
        )}
      >
        {sample.text}
      </p>
      <p className="mt-2 text-xs text-slate-400">
        {formatInteger(sample.n_characters)} characters · {source}
      </p>
    </li>
  );
}
