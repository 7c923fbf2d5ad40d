const INTERVAL = 100;
const PLAIN_INTERVAL = 30_000;
const WIDTH = 24;

/** A progress bar on standard error, redrawn in place on a terminal and an occasional line elsewhere. */
export class ProgressBar {
  private last = 0;
  private started = performance.now();
  private lastShare = 0;
  private firstShare = 0;
  private drawn = false;

  /** Starts the clock for the time left at a share that was done before. */
  begin(share: number): void {
    this.started = performance.now();
    this.firstShare = share;
    this.lastShare = share;
  }

  /** @param share done, 0 to 1; falling back starts the clock for the time left again */
  show(text: string, share: number): void {
    const now = performance.now();
    if (share < this.lastShare) this.begin(0);
    this.lastShare = share;
    const terminal = process.stderr.isTTY;
    if (now - this.last < (terminal ? INTERVAL : PLAIN_INTERVAL) && share < 1) return;
    this.last = now;
    const left =
      share > this.firstShare ? ((now - this.started) / 1000) * ((1 - share) / (share - this.firstShare)) : 0;
    const status = `${(100 * share).toFixed(0).padStart(3)} %  ${text}  ${duration(left)} left`;
    if (!terminal) {
      process.stderr.write(`${status}\n`);
      return;
    }
    const filled = Math.round(WIDTH * share);
    process.stderr.write(`\r\u001b[K${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${status}`);
    this.drawn = true;
  }

  /** Writes a line above the bar. */
  log(line: string): void {
    this.clear();
    process.stderr.write(`${line}\n`);
  }

  clear(): void {
    if (this.drawn) process.stderr.write('\r\u001b[K');
    this.drawn = false;
  }
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const two = (x: number): string => String(x).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
