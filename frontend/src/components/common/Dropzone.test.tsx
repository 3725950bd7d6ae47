import { fireEvent, screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { renderWithUser } from '@/test/render';
import { Dropzone } from './Dropzone';

it('takes a file by choice and by drop', async () => {
  const onFile = vi.fn();
  const file = new File(['hello'], 'corpus.txt');
  const props = { label: 'Choose a file', hint: 'or drop it', accept: '.txt', onFile };
  const { user, rerender } = renderWithUser(<Dropzone {...props} file={null} />);
  await user.upload(screen.getByLabelText('Choose a file'), file);
  expect(onFile).toHaveBeenLastCalledWith(file);
  const zone = screen.getByText('or drop it').parentElement!;
  fireEvent.dragOver(zone);
  fireEvent.dragLeave(zone);
  fireEvent.drop(zone, { dataTransfer: { files: [file] } });
  expect(onFile).toHaveBeenCalledTimes(2);
  rerender(<Dropzone {...props} file={file} />);
  expect(screen.getByText('5 B')).toBeVisible();
});
