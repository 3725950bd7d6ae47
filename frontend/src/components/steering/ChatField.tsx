import { TextArea } from '@/components/common/Input';
import { Toggle } from '@/components/common/Toggle';
import type { SteeringConfig } from '@/stores/steeringStore';
import { chatError, isChat, STEERING_SPECS, withSetting } from './steeringRequest';

interface ChatFieldProps {
  more: SteeringConfig['more'];
  /** Whether the model that generates has a chat template; null while that is not known. */
  canChat: boolean | null;
  onChange: (changes: Pick<SteeringConfig, 'more'>) => void;
}

/** The prompt as a user's message, after a system prompt: only where the model knows a chat. */
export function ChatField({ more, canChat, onChange }: ChatFieldProps) {
  const isOn = isChat({ more });
  if (!isOn && canChat !== true) return null;
  const set = (name: 'use_chat_template' | 'system_prompt') => (value: string | boolean) =>
    onChange({ more: withSetting(more, name, value) });
  const error = chatError({ more }, canChat);
  return (
    <div className="space-y-3">
      <Toggle
        label="Use the Chat Template"
        help={STEERING_SPECS.use_chat_template.help}
        error={error}
        checked={isOn}
        onChange={set('use_chat_template')}
      />
      {isOn && (
        <TextArea
          label="System prompt"
          help="Stands before the prompt in both texts, in the model’s own chat format."
          rows={2}
          value={String(more?.system_prompt ?? '')}
          placeholder="none"
          onChange={set('system_prompt')}
        />
      )}
    </div>
  );
}
