const DASH = '–';
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

type Maybe = number | null | undefined;

const numberFormats = new Map<string, Intl.NumberFormat>();

/** Formats are kept: making one costs more than using it a hundred times, and logs use many. */
function formatNumber(value: number, options: Intl.NumberFormatOptions = {}): string {
  const key = JSON.stringify(options);
  const format = numberFormats.get(key) ?? new Intl.NumberFormat('en-US', options);
  numberFormats.set(key, format);
  return format.format(value);
}

const TIME = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const DATE_TIME = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

function isNumber(value: Maybe): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** `1234567` → `1,234,567`; a dash for what was not measured. */
export function formatInteger(value: Maybe): string {
  return isNumber(value) ? formatNumber(Math.round(value)) : DASH;
}

/** Fixed decimals, with thousands separators. */
export function formatDecimal(value: Maybe, digits: number): string {
  if (!isNumber(value)) return DASH;
  return formatNumber(value, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** `1234567` → `1.23M`: for counts that need no last digit. */
export function formatCompact(value: Maybe): string {
  if (!isNumber(value)) return DASH;
  return formatNumber(value, { notation: 'compact', maximumSignificantDigits: 3 });
}

/** Significant digits for values of unknown size, such as a learning rate. */
export function formatSignificant(value: Maybe, digits = 3): string {
  if (!isNumber(value)) return DASH;
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) {
    return value
      .toExponential(digits - 1)
      .replace(/\.?0*e/, 'e')
      .replace('e+', 'e');
  }
  return formatNumber(value, { maximumSignificantDigits: digits });
}

/** Share between 0 and 1 → percent. */
export function formatShare(value: Maybe, digits = 1): string {
  return isNumber(value) ? `${formatDecimal(value * 100, digits)} %` : DASH;
}

/** Percent between 0 and 100. */
export function formatPercent(value: Maybe, digits = 0): string {
  return isNumber(value) ? `${formatDecimal(value, digits)} %` : DASH;
}

/** Decimal units, as disks are sold: `93000000` → `93 MB`. */
export function formatBytes(bytes: Maybe): string {
  if (!isNumber(bytes)) return DASH;
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
  return `${Number(value.toFixed(digits))} ${UNITS[unit] ?? 'B'}`;
}

/** `75` → `1 min 15 s`, `5000` → `1 h 23 min`. */
export function formatDuration(seconds: Maybe): string {
  if (!isNumber(seconds) || seconds < 0) return DASH;
  const whole = Math.round(seconds);
  if (whole < 1) return '< 1 s';
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) {
    const rest = whole % 60;
    return rest ? `${Math.floor(whole / 60)} min ${rest} s` : `${whole / 60} min`;
  }
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.round(minutes / 1440)} days`;
}

/** `<rate> tokens/s` and the like. */
export function formatRate(value: Maybe, unit: string): string {
  return isNumber(value) ? `${formatCompact(value)} ${unit}/s` : DASH;
}

export function formatTime(iso: string | null | undefined): string {
  return iso ? TIME.format(new Date(iso)) : DASH;
}

export function formatDateTime(iso: string | null | undefined): string {
  if (!iso) return DASH;
  return DATE_TIME.format(new Date(iso));
}

/** `1405` for five past two: tells apart what is named by rule. */
export function clockTag(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(date.getHours())}${two(date.getMinutes())}`;
}

/** Names whose spelling no rule gives. */
const SPELLINGS: Record<string, string> = {
  topk: 'TopK',
  batchtopk: 'BatchTopK',
  jumprelu: 'JumpReLU',
  relu: 'ReLU',
  adamw: 'AdamW',
  sgd: 'SGD',
  bfloat16: 'bfloat16',
  float16: 'float16',
  float32: 'float32',
  int8: 'int8',
};

/** `dataset_import` → `Dataset import`. */
export function humanize(name: string): string {
  const spelling = SPELLINGS[name];
  if (spelling) return spelling;
  const words = name.replaceAll('_', ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
