import { SHORTCUTS, type ShortcutGroup } from '@/utils/shortcuts';
import { Kbd } from './Kbd';
import { Modal } from './Modal';

/** The list of keys that `?` opens. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Modal size="3xl" title="Keyboard" onClose={onClose}>
      <div className="columns-1 gap-10 sm:columns-2">
        {SHORTCUTS.map((group) => (
          <Group key={group.title} group={group} />
        ))}
      </div>
    </Modal>
  );
}

function Group({ group }: { group: ShortcutGroup }) {
  return (
    <section aria-label={group.title} className="mb-6 break-inside-avoid">
      <h3 className="mb-2 text-sm font-medium text-slate-300">{group.title}</h3>
      <dl className="space-y-1.5 text-sm">
        {group.shortcuts.map(({ keys, what }) => (
          <div key={what} className="flex items-center justify-between gap-4">
            <dt className="order-2 flex gap-2">
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dt>
            <dd className="text-slate-400">{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
