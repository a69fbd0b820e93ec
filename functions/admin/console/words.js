// Figures and times as people read them.

const LOCALE = "en-GB";
const NUMBER = new Intl.NumberFormat(LOCALE);
const TIME = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "medium" });
const CLOCK = new Intl.DateTimeFormat(LOCALE, { timeStyle: "medium" });
const MINUTE = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export const grouped = (count) => NUMBER.format(count ?? 0);
export const counted = (count, one, many) => `${grouped(count)} ${count === 1 ? one : many}`;
export const deliveries = (count) => counted(count, "delivery", "deliveries");
export const events = (count) => counted(count, "event", "events");

/** A time in full, in the reader's zone. */
export const time = (at) => (at == null ? "" : TIME.format(at));

/** Hour and minute: there are zones in which the hours of UTC begin at half past. */
export const clock = (at) => MINUTE.format(at);

/** The reader's zone: its name, and how far it is from UTC at that time. */
export function zone(now = Date.now()) {
  const ahead = -new Date(now).getTimezoneOffset();
  const [hours, minutes] = [Math.floor(Math.abs(ahead) / 60), Math.abs(ahead) % 60].map((part) => String(part).padStart(2, "0"));
  const from = ahead === 0 ? "UTC" : `UTC${ahead < 0 ? "−" : "+"}${hours}:${minutes}`;
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return !timeZone || timeZone === from ? from : `${timeZone} (${from})`;
}

/** Without the date, if that is today's. */
export function brief(at, now = Date.now()) {
  if (at == null) return "";
  return new Date(at).toDateString() === new Date(now).toDateString() ? CLOCK.format(at) : TIME.format(at);
}

/** A stretch of time in its largest units. */
export function stretch(millis) {
  const seconds = Math.max(0, Math.floor(millis / 1000));
  const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(seconds / unit));
  if (days > 0) return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
  if (hours > 0) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return minutes > 0 ? `${minutes} min` : `${seconds} s`;
}

export const size = (bytes) => (bytes >= 1024 ? `${NUMBER.format(Math.round(bytes / 102.4) / 10)} KiB` : `${bytes ?? 0} B`);

const STATES = {
  well: "Well",
  slow: "Slow",
  open: "Breaker open",
  paused: "Paused",
  disabled: "Disabled",
  deleted: "Deleted",
  unknown: "Unknown",
};

export const state = (name) => STATES[name] ?? name;

/** Why it is not well, since when, and what comes next. */
export function why(status, now = Date.now()) {
  const since = (at) => (at == null ? "" : ` for ${stretch(now - at)}`);
  switch (status.state) {
    case "paused":
      return `${status.pause?.reason ?? ""}${since(status.pause?.at)}`;
    case "open": {
      const cause = (status.breaker?.cause ?? "").replaceAll("_", " ");
      const next = status.next_probe_at == null ? "" : `, next probe ${brief(status.next_probe_at, now)}`;
      return `${cause}${since(status.breaker?.since)}${next}`;
    }
    case "slow":
      return "answers slowly: served by parking and draining";
    case "disabled":
      return "takes nothing new";
    default:
      return "";
  }
}

/** For how long the oldest of what is parked has been so; empty where nothing is. */
export function age(status, now = Date.now()) {
  const oldest = status.backlog?.oldest_at;
  return oldest == null ? "" : `the oldest for ${stretch(now - oldest)}`;
}

/** What lies in a place of the ledger now. */
export const left = (total, place) => (total?.[place] ?? 0) - (total?.[`un${place}`] ?? 0);
