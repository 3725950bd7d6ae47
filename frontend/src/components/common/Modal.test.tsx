import { act, screen } from '@testing-library/react';
import { useState } from 'react';
import { expect, it, vi } from 'vitest';
import { expectAccessible, renderWithUser } from '@/test/render';
import { Modal } from './Modal';

function Page({ onClose }: { onClose: () => void }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button onClick={() => setIsOpen(true)}>Open</button>
      {isOpen && (
        <Modal
          title="Details"
          subtitle="of one"
          footer={<button>Last</button>}
          onClose={() => {
            setIsOpen(false);
            onClose();
          }}
        >
          <button>Inside</button>
        </Modal>
      )}
    </>
  );
}

it('keeps the focus inside and gives it back', async () => {
  const onClose = vi.fn();
  const { user, baseElement } = renderWithUser(<Page onClose={onClose} />);
  await user.click(screen.getByRole('button', { name: 'Open' }));
  const dialog = screen.getByRole('dialog', { name: 'Details' });
  expect(dialog).toHaveFocus();
  await user.tab({ shift: true });
  expect(screen.getByRole('button', { name: 'Last' })).toHaveFocus();
  await user.tab();
  expect(screen.getByRole('button', { name: 'Close' })).toHaveFocus();
  await expectAccessible(baseElement);

  await user.keyboard('{Escape}');
  expect(onClose).toHaveBeenCalledOnce();
  expect(screen.getByRole('button', { name: 'Open' })).toHaveFocus();
});

it('closes by a click beside it, not in it', async () => {
  const onClose = vi.fn();
  const { user } = renderWithUser(<Page onClose={onClose} />);
  await user.click(screen.getByRole('button', { name: 'Open' }));
  await user.click(screen.getByRole('button', { name: 'Inside' }));
  expect(onClose).not.toHaveBeenCalled();
  await user.click(screen.getByRole('dialog').parentElement!);
  expect(onClose).toHaveBeenCalledOnce();
});

it('closes with Esc when what had the focus has gone', async () => {
  const onClose = vi.fn();
  const { user } = renderWithUser(<Page onClose={onClose} />);
  await user.click(screen.getByRole('button', { name: 'Open' }));
  act(() => (document.activeElement as HTMLElement).blur());
  await user.keyboard('{Escape}');
  expect(onClose).toHaveBeenCalledOnce();
});
