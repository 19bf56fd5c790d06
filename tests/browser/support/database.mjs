// A database of its own for one server, on the engine that DOORWAY_TEST_ENGINE names: SQLite, unless it is `postgres`.
// Then DOORWAY_TEST_POSTGRES_URL is a server where databases may be made (see scripts/postgres).
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

const isPostgres = process.env.DOORWAY_TEST_ENGINE === 'postgres';
const server = process.env.DOORWAY_TEST_POSTGRES_URL;

/** Its address, for `DOORWAY_DATABASE_URL`; an SQLite file lies in `folder`. */
export async function makeDatabase(folder) {
  if (!isPostgres) return `sqlite://${join(folder, 'portal.db')}`;
  const name = `journey_${randomBytes(8).toString('hex')}`;
  await sql(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** Takes it away; an SQLite file goes with its folder. */
export async function dropDatabase(url) {
  if (url?.startsWith('postgres')) await sql(`DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
}

async function sql(statement) {
  if (!server) throw new Error('DOORWAY_TEST_POSTGRES_URL is not set: run this through scripts/postgres');
  await promisify(execFile)('psql', ['--quiet', '--no-psqlrc', '--command', statement, server]);
}
