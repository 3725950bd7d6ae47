import { Check, Copy } from 'lucide-react';
import { IconButton } from './IconButton';
import { useCopy } from './useCopy';

interface CopyButtonProps {
  text: string;
  label: string;
}

export function CopyButton({ text, label }: CopyButtonProps) {
  const [isCopied, copy] = useCopy();
  return (
    <IconButton
      label={isCopied ? 'Copied' : label}
      icon={isCopied ? Check : Copy}
      tone={isCopied ? 'emerald' : 'neutral'}
      onClick={() => copy(text)}
    />
  );
}
