/** Settings: JSON by key; what a value means is its reader's business. */
import type { Database } from 'better-sqlite3';
import { damaged } from './sqlite-errors.ts';
import type { SettingTable } from './types.ts';

export function createSettingTable(db: Database, path: string): SettingTable {
  const get = db.prepare<[string], string>('SELECT value FROM settings WHERE key = ?').pluck();
  const set = db.prepare(
    'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  return {
    get(key): unknown {
      const text = get.get(key);
      if (text === undefined) return undefined;
      try {
        return JSON.parse(text);
      } catch (thrown) {
        throw damaged(path, `the setting ${key} is not JSON`, thrown);
      }
    },
    set(key, value) {
      set.run(key, JSON.stringify(value));
    },
  };
}
