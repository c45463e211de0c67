/** Options that carry a secret, by tool. Options that name themselves (`--password`) need no entry: secret-names.ts. */

export interface SecretOption {
  readonly flags: readonly string[];
  /** `joined`: only `-pSECRET` in one word, since `-p` alone asks for it. `next`: only `-pw SECRET`. Else both. */
  readonly form?: 'joined' | 'next';
  /** What stands before this sign is the user, and stays; without the sign nothing is masked. */
  readonly after?: string;
  /** The flag may end a cluster of short ones: `-su user:secret`. */
  readonly cluster?: true;
  /** Only if the words before it match: `docker login -p`, not `docker run -p`. */
  readonly when?: RegExp;
}

export interface Tool {
  readonly options: readonly SecretOption[];
  /** By its first word that is no option (`*`: any): which of those words is a secret, counted from 0. */
  readonly positions?: Readonly<Record<string, number>>;
  /** Its words may be `user/secret@database` or `user:secret@host`. */
  readonly login?: 'slash' | 'colon';
  /** Its options end where another command begins. */
  readonly wraps?: true;
}

const LOGIN = /\blogin\b/;

/** Tools by name, several in a line where their options are the same. */
const TABLE: readonly (readonly [string, Tool])[] = [
  // Databases
  [
    'mysql mysqldump mysqlimport mysqlpump mysqlbinlog mysqlcheck mysqlshow mysqlslap mysql_upgrade mariadb mariadb-dump mariadb-admin mariadb-import mariadb-binlog mariadb-check mariadb-backup mariabackup xtrabackup innobackupex',
    { options: [{ flags: ['-p'], form: 'joined' }] },
  ],
  [
    'mysqladmin',
    {
      options: [
        { flags: ['-p'], form: 'joined' },
        { flags: ['password'], form: 'next' },
      ],
    },
  ],
  ['mysqlsh', { options: [{ flags: ['-p'], form: 'joined' }], login: 'colon' }],
  ['mydumper myloader', { options: [{ flags: ['-p'] }] }],
  [
    'mongo mongosh mongodump mongorestore mongoexport mongoimport mongofiles mongostat mongotop bsondump',
    { options: [{ flags: ['-p'] }] },
  ],
  [
    'redis-cli redis-benchmark valkey-cli valkey-benchmark keydb-cli',
    { options: [{ flags: ['-a', '--pass'] }] },
  ],
  ['sqlcmd bcp isql osql tsql sqsh freebcp fisql defncopy', { options: [{ flags: ['-P'] }] }],
  ['cqlsh hdbsql beeline snowsql exaplus', { options: [{ flags: ['-p'] }] }],
  ['vsql ora2pg', { options: [{ flags: ['-w'] }] }],
  ['nzsql nzload', { options: [{ flags: ['-pw'], form: 'next' }] }],
  ['influx', { options: [{ flags: ['-t', '-token'], form: 'next' }] }],
  ['etcdctl', { options: [{ flags: ['--user'], after: ':' }] }],
  ['hdbuserstore', { options: [], positions: { set: 4, SET: 4 } }],
  [
    'sqlplus sqlldr expdp impdp exp imp rman sqlcl tkprof dgmgrl',
    { options: [{ flags: ['userid', 'USERID', 'target', 'catalog'], after: '/' }], login: 'slash' },
  ],
  // Copying and transfer
  ['sshpass', { options: [{ flags: ['-p'] }], wraps: true }],
  [
    'curl',
    {
      options: [
        { flags: ['-u', '-U', '--user', '--proxy-user'], after: ':', cluster: true },
        { flags: ['-E', '--cert'], after: ':' },
        { flags: ['-b', '--cookie', '--pass', '--proxy-pass', '--oauth2-bearer'] },
      ],
    },
  ],
  ['http https xh httpie', { options: [{ flags: ['-a', '--auth'], after: ':' }] }],
  ['ab', { options: [{ flags: ['-A', '-P'], after: ':' }, { flags: ['-C'] }] }],
  ['lftp lftpget', { options: [{ flags: ['-u', '--user'], after: ',' }], login: 'colon' }],
  ['ncftp ncftpput ncftpget ncftpls', { options: [{ flags: ['-p'] }] }],
  [
    'smbclient smbget smbcacls smbcquotas rpcclient nmblookup net winexe',
    { options: [{ flags: ['-U', '--user'], after: '%' }, { flags: ['--password'] }] },
  ],
  ['plink pscp psftp putty', { options: [{ flags: ['-pw'], form: 'next' }] }],
  ['rclone', { options: [], positions: { obscure: 1 } }],
  ['mc mcli', { options: [], positions: { alias: 5, config: 6 } }],
  ['mosquitto_pub mosquitto_sub mosquitto_rr', { options: [{ flags: ['-P'] }] }],
  // Archives and keys
  ['zip unzip zipcloak zipnote', { options: [{ flags: ['-P'] }] }],
  ['7z 7za 7zr 7zz p7zip', { options: [{ flags: ['-p'], form: 'joined' }] }],
  ['rar unrar', { options: [{ flags: ['-p', '-hp'], form: 'joined' }] }],
  ['arj', { options: [{ flags: ['-g'], form: 'joined' }] }],
  ['openssl', { options: [{ flags: ['-k', '-K'], form: 'next' }] }],
  ['pdftk', { options: [{ flags: ['user_pw', 'owner_pw', 'input_pw'], form: 'next' }] }],
  ['ssh-keygen', { options: [{ flags: ['-N', '-P'] }] }],
  // Registries and clouds
  [
    'docker podman nerdctl buildah helm oras crane cosign oc cf ibmcloud ibm az npm twine poetry',
    {
      options: [
        { flags: ['-p'], when: LOGIN },
        { flags: ['-p'], when: /\bpublish\b|\bsql\b|\bupload\b/ },
        { flags: ['--creds'], after: ':' },
      ],
      positions: { auth: 2 },
    },
  ],
  [
    'skopeo',
    {
      options: [
        { flags: ['--creds', '--src-creds', '--dest-creds'], after: ':' },
        { flags: ['-p'], when: LOGIN },
      ],
    },
  ],
  ['kubectl', { options: [{ flags: ['--from-literal'], after: '=', when: /\bsecret\b/ }] }],
  ['vault cargo', { options: [], positions: { login: 1 } }],
  // Directories, accounts, machines
  [
    'ldapsearch ldapadd ldapmodify ldapdelete ldapmodrdn ldapcompare ldapwhoami ldapexop',
    { options: [{ flags: ['-w'] }] },
  ],
  ['ldappasswd', { options: [{ flags: ['-w', '-a', '-s'] }] }],
  ['useradd usermod', { options: [{ flags: ['-p', '--password'], form: 'next' }] }],
  [
    'rabbitmqctl',
    { options: [], positions: { add_user: 2, change_password: 2, authenticate_user: 2 } },
  ],
  ['rabbitmqadmin psexec rdesktop racadm', { options: [{ flags: ['-p'] }] }],
  ['xfreerdp wfreerdp', { options: [{ flags: ['/p:'], form: 'joined' }] }],
  ['ipmitool', { options: [{ flags: ['-P'] }] }],
  ['snmpget snmpwalk snmpset snmpbulkwalk', { options: [{ flags: ['-A', '-X', '-c'] }] }],
  ['wpa_passphrase', { options: [], positions: { '*': 1 } }],
  ['virsh', { options: [{ flags: ['--base64'] }], positions: { 'secret-set-value': 2 } }],
  ['htpasswd', { options: [], positions: { '*': 2 } }],
];

export const TOOLS: ReadonlyMap<string, Tool> = new Map(
  TABLE.flatMap(([names, tool]) => names.split(' ').map((name) => [name, tool] as const)),
);
