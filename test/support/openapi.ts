/** Holds requests and answers against the OpenAPI document that a server gives of itself. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>;
    readonly responses: Readonly<Record<string, unknown>>;
  };
}

interface Operation {
  readonly operationId: string;
  readonly requestBody?: unknown;
  readonly responses: Readonly<
    Record<string, { readonly $ref?: string; readonly content?: object }>
  >;
}

export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** What was sent as JSON. */
  readonly body?: unknown;
  readonly status: number;
  readonly mediaType: string;
  /** The JSON that was answered. */
  readonly json: unknown;
}

export class Contract {
  readonly document: OpenApi;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(document: OpenApi) {
    this.document = document;
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(document, 'api');
  }

  /** `post /v1/jobs/{name}/start` for `POST /v1/jobs/copy/start?x=1`. */
  operationOf(method: string, path: string): string {
    const [plain = ''] = path.split('?');
    const matches = Object.keys(this.document.paths)
      .filter((template) => new RegExp(`^${template.replace('{name}', '[^/]+')}$`).test(plain))
      // A template without a name is the better match.
      .toSorted((a, b) => a.length - a.indexOf('{') - (b.length - b.indexOf('{')));
    return `${method.toLowerCase()} ${matches[0] ?? plain}`;
  }

  /** What differs from the document; empty: nothing. */
  problems(exchange: Exchange): readonly string[] {
    const { method, path, status, mediaType } = exchange;
    const [verb = '', template = ''] = this.operationOf(method, path).split(' ');
    const operation = this.document.paths[template]?.[verb];
    if (operation === undefined) return [`${verb} ${template} is not described`];
    const documented = operation.responses[String(status)];
    if (documented === undefined) return [`the status ${status} is not described`];
    const at = documented.$ref ?? `#/paths/${pointer(template)}/${verb}/responses/${status}`;
    const content = contentAt(this.document, at);
    if (!(mediaType in content)) return [`${mediaType} is not described`];
    if (mediaType !== 'application/json') return [];
    return this.#invalid(`${at}/content/${pointer(mediaType)}/schema`, exchange.json);
  }

  /** What is wrong with a request's body, by the document. */
  bodyProblems(method: string, path: string, body: unknown): readonly string[] {
    const [verb = '', template = ''] = this.operationOf(method, path).split(' ');
    const at = `#/paths/${pointer(template)}/${verb}/requestBody/content/application~1json/schema`;
    return this.#invalid(at, body);
  }

  #invalid(at: string, value: unknown): readonly string[] {
    const validate = this.#ajv.getSchema(`api${at}`);
    if (validate === undefined) return [`there is no schema at ${at}`];
    if (validate(value) === true) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${instancePath}: ${message ?? ''} ${JSON.stringify(params)}`,
    );
  }
}

function contentAt(document: object, at: string): object {
  let node: unknown = document;
  for (const step of at.slice(2).split('/')) {
    node = (node as Record<string, unknown>)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return (node as { content?: object }).content ?? {};
}

function pointer(text: string): string {
  return text.replaceAll('~', '~0').replaceAll('/', '~1');
}
