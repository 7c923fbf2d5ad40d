import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

export interface HubModel {
  readonly commit: string;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** What goes wrong, settable while the server runs. */
export interface Faults {
  /** Cut the connection when this many bytes of a large file were sent, so many times. */
  breakAfter?: number;
  breaks?: number;
  /** Send this many bytes of a large file, then nothing more, and leave the connection open. */
  stallAfter?: number;
  /** Send a large file with its first byte changed. */
  corrupt?: boolean;
  /** Answer 200 with everything to a Range request. */
  noRanges?: boolean;
  /** Answer this status to everything. */
  status?: number;
  /** Answer a web page to everything. */
  page?: boolean;
}

/**
 * A server that answers as huggingface.co does: model facts, the file tree in pages, and files, the large ones through
 * a redirect to another origin (Git LFS storage). `org/gated` is gated and `org/private` needs the token `hf_right`.
 */
export class HubServer {
  readonly models = new Map<string, HubModel>();
  readonly requests: {
    readonly url: string;
    readonly range: string | undefined;
    readonly authorization: string | undefined;
  }[] = [];
  faults: Faults = {};
  private readonly hub = createServer((request, response) => this.onHub(request, response));
  private readonly storage = createServer((request, response) => this.onStorage(request, response));

  async start(): Promise<this> {
    for (const server of [this.hub, this.storage])
      await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    return this;
  }

  async stop(): Promise<void> {
    for (const server of [this.hub, this.storage]) {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
  }

  get endpoint(): string {
    return origin(this.hub);
  }

  /** Requests for a file's content. */
  downloads(path: string): (string | undefined)[] {
    return this.requests
      .filter(({ url }) => url.startsWith('/storage/') && url.endsWith(path))
      .map(({ range }) => range);
  }

  private onHub(request: IncomingMessage, response: ServerResponse): void {
    const url = this.record(request);
    if (this.faults.status !== undefined) return end(response, this.faults.status, {});
    if (this.faults.page) return end(response, 200, { 'Content-Type': 'text/html' }, '<html>Please log in</html>');
    const [, id = '', rest = ''] = /^\/(?:api\/models\/)?([^/]+\/[^/]+)\/(.*)$/.exec(url.pathname) ?? [];
    if (id === 'org/gated')
      return end(response, 401, { 'X-Error-Code': 'GatedRepo', 'X-Error-Message': 'Access is restricted' });
    const authorization = request.headers.authorization;
    if (authorization !== undefined && authorization !== 'Bearer hf_right') {
      return end(response, 401, { 'X-Error-Message': 'Invalid credentials in Authorization header' });
    }
    const model = this.models.get(id);
    if (model === undefined || (id === 'org/private' && authorization === undefined)) {
      const code = authorization === undefined ? 401 : 404;
      return end(response, code, { 'X-Error-Code': 'RepoNotFound', 'X-Error-Message': 'Repository not found' });
    }
    if (rest.startsWith('revision/')) return this.onRevision(response, id, model, decodeURIComponent(rest.slice(9)));
    if (rest.startsWith(`tree/${model.commit}`)) return this.onTree(response, model, url);
    return this.onResolve(response, id, model, rest.replace(`resolve/${model.commit}/`, ''));
  }

  private onRevision(response: ServerResponse, id: string, { commit }: HubModel, revision: string): void {
    if (!['main', 'v1.0', 'refs/pr/1', commit].includes(revision)) {
      return end(response, 404, {
        'X-Error-Code': 'RevisionNotFound',
        'X-Error-Message': `Invalid rev id: ${revision}`,
      });
    }
    json(response, { _id: '1', id, sha: commit, private: false, gated: false, downloads: 1, likes: 1 });
  }

  private onTree(response: ServerResponse, { files }: HubModel, url: URL): void {
    const entries = [...files].map(([path, content]) => {
      const pointer = { type: 'file', path, size: content.length, oid: gitOid(content) };
      return isLarge(path)
        ? { ...pointer, lfs: { oid: sha256(content), size: content.length, pointerSize: 134 } }
        : pointer;
    });
    const page = Number(url.searchParams.get('cursor') ?? 0);
    const next = `${this.endpoint}${url.pathname}?recursive=true&cursor=${page + 1}`;
    const link = (page + 1) * 4 < entries.length ? { Link: `<${next}>; rel="next"` } : {};
    json(
      response,
      [
        { type: 'directory', path: 'onnx', size: 0, oid: gitOid(Buffer.alloc(0)) },
        ...entries.slice(page * 4, page * 4 + 4),
      ],
      link,
    );
  }

  private onResolve(response: ServerResponse, id: string, { files }: HubModel, path: string): void {
    const content = files.get(path);
    if (content === undefined) return end(response, 404, { 'X-Error-Code': 'EntryNotFound' });
    if (isLarge(path)) return end(response, 302, { Location: `${origin(this.storage)}/storage/${id}/${path}` });
    response.writeHead(200, { ETag: `"${gitOid(content)}"` }).end(content);
  }

  private onStorage(request: IncomingMessage, response: ServerResponse): void {
    const [, id = '', path = ''] = /^\/storage\/([^/]+\/[^/]+)\/(.*)$/.exec(this.record(request).pathname) ?? [];
    const content = Buffer.from(this.models.get(id)?.files.get(path) ?? '');
    if (this.faults.corrupt) content.writeUInt8(content.readUInt8(0) ^ 1, 0);
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const start = from === undefined || this.faults.noRanges ? 0 : Number(from);
    const range = { 'Content-Range': `bytes ${start}-${content.length - 1}/${content.length}` };
    response.writeHead(start > 0 ? 206 : 200, {
      'Content-Length': content.length - start,
      ...(start > 0 ? range : {}),
    });
    const { breakAfter, breaks = 0, stallAfter } = this.faults;
    if (stallAfter !== undefined) return void response.write(content.subarray(start, start + stallAfter));
    if (breakAfter === undefined || breaks <= 0) return void response.end(content.subarray(start));
    this.faults.breaks = breaks - 1;
    // A client that is slow to read loses what it has not read when the connection ends.
    response.write(content.subarray(start, start + breakAfter), () => setTimeout(() => response.destroy(), 300));
  }

  private record(request: IncomingMessage): URL {
    const { authorization, range } = request.headers;
    this.requests.push({ url: request.url ?? '', range, authorization });
    return new URL(request.url ?? '', 'http://hub');
  }
}

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function gitOid(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

function isLarge(path: string): boolean {
  return /\.(safetensors|bin|onnx|h5)$/.test(path);
}

function origin(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function json(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  end(response, 200, { 'Content-Type': 'application/json', ...headers }, JSON.stringify(value));
}

function end(response: ServerResponse, status: number, headers: Record<string, string>, body = ''): void {
  response.writeHead(status, headers).end(body);
}
