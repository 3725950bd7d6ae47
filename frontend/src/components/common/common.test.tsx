import { act, fireEvent, render, screen, within } from '@testing-library/react';
import { Database, Play } from 'lucide-react';
import { useState } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { makeJob } from '@/test/factories';
import { expectAccessible, renderWithUser } from '@/test/render';
import type { FieldSpec } from '@/types/form.types';
import { Button } from './Button';
import { ConfirmButton } from './ConfirmButton';
import { CopyButton } from './CopyButton';
import { Disclosure } from './Disclosure';
import { Dropzone } from './Dropzone';
import { EmptyState } from './EmptyState';
import { ErrorBoundary } from './ErrorBoundary';
import { ErrorBox } from './ErrorBox';
import { Input, TextArea } from './Input';
import { JobProgress } from './JobProgress';
import { Modal } from './Modal';
import { Navigation } from './Navigation';
import { NumberInput } from './NumberInput';
import { Pager } from './Pager';
import { ProgressBar } from './ProgressBar';
import { SearchInput } from './SearchInput';
import { Segmented } from './Segmented';
import { SpecField } from './SpecField';
import { StatusBadge, statusTone } from './StatusBadge';
import { Tabs } from './Tabs';
import { Tile } from './Tile';
import { Toast } from './Toast';
import { Toggle } from './Toggle';

afterEach(() => vi.useRealTimers());

const spec: FieldSpec = {
  type: 'integer',
  required: false,
  nullable: false,
  default: 8,
  help: 'Latents per model dimension.',
  unit: 'x d_model',
  min: 1,
  max: 256,
  options: null,
};

describe('buttons', () => {
  it('spin and refuse clicks while busy', () => {
    const onClick = vi.fn();
    render(
      <Button busy icon={Play} onClick={onClick}>
        Start
      </Button>,
    );
    const button = screen.getByRole('button', { name: 'Start' });
    expect(button).toBeDisabled();
    expect(button).toHaveAttribute('aria-busy', 'true');
  });

  it('ask before they destroy', async () => {
    const onConfirm = vi.fn();
    const { user } = renderWithUser(<ConfirmButton label="Delete it" onConfirm={onConfirm} />);
    await user.click(screen.getByRole('button', { name: 'Delete it' }));
    expect(screen.getByRole('button', { name: 'Keep' })).toHaveFocus();
    await user.keyboard('{Escape}');
    await user.click(screen.getByRole('button', { name: 'Delete it' }));
    await user.click(screen.getByRole('button', { name: 'Keep' }));
    expect(onConfirm).not.toHaveBeenCalled();
    await user.click(screen.getByRole('button', { name: 'Delete it' }));
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    expect(onConfirm).toHaveBeenCalledOnce();
  });

  it('copy and say so', async () => {
    const { user } = renderWithUser(<CopyButton label="Copy text" text="hello" />);
    await user.click(screen.getByRole('button', { name: 'Copy text' }));
    expect(await screen.findByRole('button', { name: 'Copied' })).toBeVisible();
    expect(await navigator.clipboard.readText()).toBe('hello');
  });
});

describe('fields', () => {
  it('tie label, hint and error to their control', async () => {
    const { container, rerender } = render(
      <Input label="Name" value="" onChange={() => undefined} hint="A short one" help="Why" />,
    );
    const input = screen.getByLabelText('Name');
    expect(input).toHaveAccessibleDescription('A short one');
    await expectAccessible(container);
    rerender(<Input label="Name" value="" onChange={() => undefined} error="Too long" />);
    expect(input).toBeInvalid();
    expect(input).toHaveAccessibleDescription('Too long');
  });

  it('take texts of several lines', async () => {
    const onChange = vi.fn();
    const { user } = renderWithUser(<TextArea label="Text" value="" onChange={onChange} />);
    await user.type(screen.getByLabelText('Text'), 'a');
    expect(onChange).toHaveBeenCalledWith('a');
  });

  it('let a number be typed with an exponent', async () => {
    function Form() {
      const [value, setValue] = useState<number | null>(null);
      return (
        <>
          <NumberInput label="Rate" value={value} onChange={setValue} unit="steps" />
          <output>{String(value)}</output>
        </>
      );
    }
    const { user } = renderWithUser(<Form />);
    await user.type(screen.getByLabelText('Rate'), '1e-4');
    expect(screen.getByLabelText('Rate')).toHaveValue('1e-4');
    expect(screen.getByText('0.0001')).toBeVisible();
    await user.clear(screen.getByLabelText('Rate'));
    expect(screen.getByText('null')).toBeVisible();
  });

  it('follow the description of a request field', async () => {
    const onChange = vi.fn();
    const { user, rerender } = renderWithUser(
      <SpecField spec={spec} label="Expansion" value={8} onChange={onChange} choices={[4, 16]} />,
    );
    await user.selectOptions(screen.getByLabelText('Expansion'), '16x');
    expect(onChange).toHaveBeenLastCalledWith(16);
    expect(screen.getByRole('option', { name: '8x' })).toBeInTheDocument();

    rerender(
      <SpecField
        spec={{ ...spec, type: 'string', options: ['topk', 'relu'] }}
        label="Activation"
        value="topk"
        onChange={onChange}
      />,
    );
    await user.selectOptions(screen.getByLabelText('Activation'), 'ReLU');
    expect(onChange).toHaveBeenLastCalledWith('relu');

    rerender(
      <SpecField
        spec={{ ...spec, type: 'boolean' }}
        label="Steer"
        value={false}
        onChange={onChange}
      />,
    );
    await user.click(screen.getByRole('switch', { name: 'Steer' }));
    expect(onChange).toHaveBeenLastCalledWith(true);

    rerender(
      <SpecField
        spec={{ ...spec, nullable: true, help: 'Cap; empty means all.' }}
        label="Cap"
        value={null}
        onChange={onChange}
      />,
    );
    expect(screen.getByPlaceholderText('all')).toHaveAccessibleDescription('1 to 256');

    rerender(
      <SpecField spec={{ ...spec, type: 'string' }} label="Word" value="" onChange={onChange} />,
    );
    await user.type(screen.getByLabelText('Word'), 'x');
    expect(onChange).toHaveBeenLastCalledWith('x');
  });

  it('switch and choose', async () => {
    const onToggle = vi.fn();
    const onChoose = vi.fn();
    const onSearch = vi.fn();
    const { user } = renderWithUser(
      <>
        <Toggle label="Auto-save" help="Saves" checked={false} onChange={onToggle} />
        <Segmented
          label="Source"
          options={[
            { value: 'a', label: 'A' },
            { value: 'b', label: 'B' },
          ]}
          value="a"
          onChange={onChoose}
        />
        <SearchInput label="Search" value="" onChange={onSearch} />
      </>,
    );
    await user.click(screen.getByRole('switch', { name: 'Auto-save' }));
    expect(onToggle).toHaveBeenCalledWith(true);
    await user.click(screen.getByRole('button', { name: 'B' }));
    expect(onChoose).toHaveBeenCalledWith('b');
    await user.type(screen.getByRole('searchbox', { name: 'Search' }), 'q');
    expect(onSearch).toHaveBeenCalledWith('q');
  });

  it('take a file by choice and by drop', async () => {
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
});

describe('modal', () => {
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
});

describe('tabs and pages', () => {
  it('move with the arrow keys', async () => {
    function Row() {
      const [tab, setTab] = useState<'one' | 'two'>('one');
      const tabs = [
        { id: 'one', label: 'One' },
        { id: 'two', label: 'Two' },
      ] as const;
      return <Tabs label="Views" tabs={tabs} active={tab} onChange={setTab} />;
    }
    const { user } = renderWithUser(<Row />);
    await user.click(screen.getByRole('tab', { name: 'One' }));
    await user.keyboard('{ArrowLeft}');
    expect(screen.getByRole('tab', { name: 'Two' })).toHaveFocus();
    expect(screen.getByRole('tab', { name: 'Two' })).toHaveAttribute('aria-selected', 'true');
    await user.keyboard('{ArrowRight}a');
    expect(screen.getByRole('tab', { name: 'One' })).toHaveFocus();
  });

  it('navigate between sections', async () => {
    const onChange = vi.fn();
    const { user } = renderWithUser(<Navigation active="models" onChange={onChange} />);
    expect(screen.getByRole('link', { name: 'models' })).toHaveAttribute('aria-current', 'page');
    await user.click(screen.getByRole('link', { name: 'training' }));
    expect(onChange).toHaveBeenCalledWith('training');
  });

  it('turn and say where they are', async () => {
    const onPage = vi.fn();
    const pagination = { page: 2, limit: 10, total: 25, has_next: true };
    const { user } = renderWithUser(
      <Pager pagination={pagination} noun="samples" onPage={onPage} />,
    );
    expect(screen.getByText('Showing 11–20 of 25 samples')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Next' }));
    await user.click(screen.getByRole('button', { name: 'Previous' }));
    expect(onPage.mock.calls).toEqual([[3], [1]]);
  });

  it('unfold', async () => {
    const { user } = renderWithUser(<Disclosure title="More">Hidden words</Disclosure>);
    expect(screen.queryByText('Hidden words')).toBeNull();
    await user.click(screen.getByRole('button', { name: 'More' }));
    expect(screen.getByText('Hidden words')).toBeVisible();
  });
});

describe('progress', () => {
  it('says percent, time left, and cancels', async () => {
    const onCancel = vi.fn();
    const { user, container } = renderWithUser(
      <JobProgress label="Importing" job={makeJob()} onCancel={onCancel} />,
    );
    const bar = screen.getByRole('progressbar', { name: 'Importing' });
    expect(bar).toHaveAttribute('aria-valuenow', '40');
    expect(screen.getByText('1 min 15 s left')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Cancel' }));
    expect(onCancel).toHaveBeenCalledOnce();
    await expectAccessible(container);
  });

  it('tells a waiting and a cancelled job', () => {
    const waiting = makeJob({ state: 'queued', message: null, eta_seconds: null });
    const { rerender } = render(<JobProgress label="Importing" job={waiting} />);
    expect(screen.getByText('Waiting for a free worker')).toBeVisible();
    rerender(<JobProgress label="Importing" job={makeJob({ requested: 'cancel' })} />);
    expect(screen.getByText('Cancelling…')).toBeVisible();
  });

  it('of unknown amount has no value', () => {
    render(<ProgressBar label="Work" value={null} />);
    expect(screen.getByRole('progressbar')).not.toHaveAttribute('aria-valuenow');
  });
});

describe('states', () => {
  it('have a tone and a name', () => {
    render(<StatusBadge status="ready" />);
    expect(screen.getByText('Ready')).toBeVisible();
    expect(statusTone('error')).toBe('red');
    expect(statusTone('unheard_of')).toBe('slate');
  });

  it('of emptiness offer the way out', () => {
    render(
      <EmptyState icon={Database} title="Nothing" hint="Add some" action={<button>Add</button>} />,
    );
    expect(screen.getByRole('button', { name: 'Add' })).toBeVisible();
  });

  it('of error say the sentence, the code and the way on', async () => {
    const onClick = vi.fn();
    const problem = { message: 'No space.', code: 'DISK_FULL' };
    const { user } = renderWithUser(
      <ErrorBox problem={problem} action={{ label: 'Retry', onClick }} />,
    );
    expect(screen.getByRole('alert')).toHaveTextContent('No space.DISK_FULL');
    await user.click(screen.getByRole('button', { name: 'Retry' }));
    expect(onClick).toHaveBeenCalledOnce();
    await user.click(screen.getByRole('button', { name: 'Copy error details' }));
    expect(await navigator.clipboard.readText()).toContain('DISK_FULL');
  });

  it('of a crash stay inside their panel', () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    function Broken(): never {
      throw new Error('kaput');
    }
    render(
      <ErrorBoundary>
        <Broken />
      </ErrorBoundary>,
    );
    expect(screen.getByRole('alert')).toHaveTextContent('This panel stopped working: kaput');
  });

  it('show a figure with its definition', () => {
    render(<Tile label="L0" value="32" help="Mean number of latents" note="of 1,024" />);
    const about = screen.getByRole('button', { name: 'About L0' });
    expect(about).toHaveAccessibleDescription('Mean number of latents');
  });
});

describe('toast', () => {
  it('goes by itself, by its action and by hand', () => {
    vi.useFakeTimers();
    const onDismiss = vi.fn();
    const undo = vi.fn();
    const { unmount } = render(<Toast kind="success" message="Done" onDismiss={onDismiss} />);
    act(() => {
      vi.advanceTimersByTime(5_000);
    });
    expect(onDismiss).toHaveBeenCalledOnce();
    unmount();
    render(
      <Toast
        kind="info"
        message="Deleted"
        action={{ label: 'Undo', onClick: undo }}
        onDismiss={onDismiss}
      />,
    );
    fireEvent.click(within(document.body).getByRole('button', { name: 'Undo' }));
    fireEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
    expect(undo).toHaveBeenCalledOnce();
    expect(onDismiss).toHaveBeenCalledTimes(3);
  });
});
