import { Component, type ReactNode } from 'react';
import { ErrorBox } from './ErrorBox';

interface ErrorBoundaryProps {
  children: ReactNode;
}

interface ErrorBoundaryState {
  error: Error | null;
}

/** Shows a crash of a panel in the panel's place; the rest of the page goes on. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override state: ErrorBoundaryState = { error: null };

  static getDerivedStateFromError(error: unknown): ErrorBoundaryState {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <ErrorBox
        problem={{ message: `This panel stopped working: ${error.message}`, code: error.name }}
        action={{ label: 'Reload', onClick: () => window.location.reload() }}
      />
    );
  }
}
