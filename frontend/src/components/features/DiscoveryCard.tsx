import { Settings2, Zap } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Button } from '@/components/common/Button';
import { Card } from '@/components/common/Card';
import { IconButton } from '@/components/common/IconButton';
import { ErrorBox } from '@/components/common/ErrorBox';
import { JobProgress } from '@/components/common/JobProgress';
import { SpecField } from '@/components/common/SpecField';
import type { Discovery } from '@/hooks/useFeatures';
import { jobProblem } from '@/utils/jobs';

import {
  defaultSettings,
  DISCOVERY_FIELDS,
  settingsErrors,
  toExtractRequest,
} from './discoverySettings';
import { MeasureMenu, MeasureProgress } from './MeasureMenu';

interface DiscoveryCardProps {
  trainingId: string;
  /** Whether features were found before, so that a new pass replaces them. */
  hasFeatures: boolean;
  discovery: Discovery;
  /** What the last pass measured. */
  children?: ReactNode;
}

/** Settings of the discovery pass, the button that starts it, and its progress. */
export function DiscoveryCard({
  trainingId,
  hasFeatures,
  discovery,
  children,
}: DiscoveryCardProps) {
  const [settings, setSettings] = useState(defaultSettings);
  const [isOpen, setIsOpen] = useState(false);
  const { job, isRunning, isStarting, problem, cancel } = discovery;
  const errors = { ...discovery.fieldErrors, ...settingsErrors(settings) };
  const hasErrors = Object.keys(settingsErrors(settings)).length > 0;
  const failure = problem ?? jobProblem(job);
  const extract = () => discovery.start(toExtractRequest(trainingId, settings));

  const button = (
    <Button
      variant={hasFeatures ? 'secondary' : 'primary'}
      size={hasFeatures ? 'md' : 'lg'}
      block={!hasFeatures}
      icon={Zap}
      busy={isStarting}
      disabled={isStarting || hasErrors}
      onClick={extract}
    >
      {hasFeatures ? 'Extract Again' : 'Extract Features'}
    </Button>
  );

  return (
    <Card
      label="Feature extraction and analysis"
      className={hasFeatures ? 'space-y-3 px-4 py-2.5' : 'space-y-4'}
    >
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1">
          <h3 className={hasFeatures ? 'sr-only' : 'text-lg font-semibold'}>
            Feature Extraction &amp; Analysis
          </h3>
          <p className={hasFeatures ? 'sr-only' : 'mt-1 max-w-3xl text-sm text-slate-400'}>
            One pass over the stored activations measures every feature of the latest checkpoint:
            how often it fires, its strongest contexts and the tokens it promotes.
          </p>
          {children}
        </div>
        {hasFeatures && !isRunning && (
          <div className="flex flex-wrap gap-2">
            <IconButton
              className="size-9.5"
              label="Settings of the extraction"
              icon={Settings2}
              aria-expanded={isOpen}
              onClick={() => setIsOpen(!isOpen)}
            />
            <MeasureMenu trainingId={trainingId} />
            {button}
          </div>
        )}
      </div>
      {hasFeatures && <MeasureProgress trainingId={trainingId} />}
      {job && isRunning ? (
        <JobProgress label="Processing activation patterns…" job={job} onCancel={cancel} />
      ) : (
        <>
          {(isOpen || !hasFeatures) && (
            <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
              {DISCOVERY_FIELDS.map(({ name, label, spec }) => (
                <SpecField
                  key={name}
                  spec={spec}
                  label={label}
                  value={settings[name] ?? null}
                  error={errors[name]}
                  onChange={(value) => setSettings({ ...settings, [name]: value })}
                />
              ))}
            </div>
          )}
          {failure && (
            <ErrorBox problem={failure} action={{ label: 'Try again', onClick: extract }} />
          )}
          {!hasFeatures && button}
        </>
      )}
    </Card>
  );
}
