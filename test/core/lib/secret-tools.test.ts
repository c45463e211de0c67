/**
 * The secret of each tool by its own documentation, written by hand: a tool or an option that is lost from the table is noticed
 * here. `§` stands for the secret, and each form is tried with each name before it.
 */
import { expect, test } from 'vitest';
import { TOOLS } from '../../../src/core/lib/secret-tools.ts';
import { maskSecrets } from '../../../src/core/lib/secrets.ts';

const MASKED: readonly (readonly [names: string, ...forms: string[]])[] = [
  [
    'mysql mysqldump mysqlimport mysqlpump mysqlbinlog mysqlcheck mysqlshow mysqlslap mysql_upgrade mariadb mariadb-dump mariadb-admin mariadb-import mariadb-binlog mariadb-check mariadb-backup mariabackup xtrabackup innobackupex',
    '-u root -p§ db',
  ],
  ['mysqladmin', '-u root -p§ status', '-u root password §'],
  ['mysqlsh', '-p§ --sql', 'root:§@db01 --sql'],
  ['mydumper myloader', '-u root -p § -o out', '-p§'],
  [
    'mongo mongosh mongodump mongorestore mongoexport mongoimport mongofiles mongostat mongotop bsondump',
    '-u app -p § --db x',
    '-p§',
  ],
  ['redis-cli redis-benchmark valkey-cli valkey-benchmark keydb-cli', '-a § ping', '--pass § ping'],
  ['sqlcmd bcp isql osql tsql sqsh freebcp fisql defncopy', '-U sa -P § -Q x', '-P§'],
  ['cqlsh hdbsql beeline snowsql exaplus', '-u a -p § -e x'],
  ['vsql ora2pg', '-w § -c x'],
  ['nzsql nzload', '-u a -pw § -c x'],
  ['influx', 'write -t § x', '-token § x'],
  ['etcdctl', '--user root:§ get x', '--user=root:§ get x'],
  ['hdbuserstore', 'set KEY h:30015 user §', 'SET KEY h:30015 user §'],
  [
    'sqlplus sqlldr expdp impdp exp imp rman sqlcl tkprof dgmgrl',
    'scott/§@orcl',
    'userid=scott/§@orcl file=x',
    'USERID=scott/§',
    'target scott/§@orcl',
    'catalog=rman/§@cat',
  ],
  ['sshpass', '-p § ssh h', '-p§ ssh h'],
  [
    'curl',
    ...['-u me:§ http://h', '-sSu me:§ http://h', '-U me:§ http://h', '--user me:§ http://h'],
    ...['--proxy-user me:§ http://h', '-E cert.pem:§ http://h', '--cert cert.pem:§ http://h'],
    ...['-b § http://h', '--cookie § http://h', '--pass § http://h', '--proxy-pass § http://h'],
    '--oauth2-bearer § http://h',
  ],
  ['http https xh httpie', '-a me:§ h/x', '--auth me:§ h/x', '--auth=me:§ h/x'],
  ['ab', '-A me:§ http://h/', '-P me:§ http://h/', '-C § http://h/'],
  ['lftp lftpget', '-u me,§ h', '--user me,§ h', 'me:§@h'],
  ['ncftp ncftpput ncftpget ncftpls', '-u me -p § h'],
  [
    'smbclient smbget smbcacls smbcquotas rpcclient nmblookup net winexe',
    '//h/s -U me%§',
    '--user=me%§ //h/s',
    '--password § //h/s',
  ],
  ['plink pscp psftp putty', '-pw § me@h'],
  ['rclone', 'obscure §'],
  ['mc mcli', 'alias set s3 https://h key §', 'config host add s3 https://h key §'],
  ['mosquitto_pub mosquitto_sub mosquitto_rr', '-u me -P § -t x'],
  ['zip unzip zipcloak zipnote', '-P § a.zip', '-P§ a.zip'],
  ['7z 7za 7zr 7zz p7zip', 'a -p§ a.7z x'],
  ['rar unrar', 'a -p§ a.rar x', 'a -hp§ a.rar x'],
  ['arj', 'a -g§ a.arj'],
  ['openssl', 'enc -aes-256-cbc -k § -in x', 'enc -K § -in x', 'rsa -passin pass:§ -in x'],
  ['pdftk', 'a.pdf input_pw § output b.pdf', 'a.pdf user_pw §', 'a.pdf owner_pw §'],
  ['ssh-keygen', '-N § -f x', '-P § -f x'],
  [
    'docker podman nerdctl buildah helm oras crane cosign oc cf ibmcloud ibm az npm twine poetry',
    ...['login -u me -p §', 'publish -p §', 'sql -p §', 'upload -p §', 'push --creds me:§ x'],
  ],
  ['crane cosign helm', 'auth login §'],
  [
    'skopeo',
    ...['copy --creds me:§ a b', 'copy --src-creds me:§ a b', 'copy --dest-creds me:§ a b'],
    'login -p § h',
  ],
  ['kubectl', 'create secret generic x --from-literal=key=§'],
  ['vault cargo', 'login §'],
  [
    'ldapsearch ldapadd ldapmodify ldapdelete ldapmodrdn ldapcompare ldapwhoami ldapexop',
    '-D cn=a -w § -b x',
    '-w§',
  ],
  ['ldappasswd', '-w § x', '-a § x', '-s § x'],
  ['useradd usermod', '-p § me', '--password § me'],
  ['rabbitmqctl', 'add_user me §', 'change_password me §', 'authenticate_user me §'],
  ['rabbitmqadmin psexec rdesktop racadm', '-u me -p § x'],
  ['xfreerdp wfreerdp', '/u:me /p:§ /v:h'],
  ['ipmitool', '-H h -U me -P § power on'],
  ['snmpget snmpwalk snmpset snmpbulkwalk', '-v3 -A § h', '-v3 -X § h', '-v2c -c § h'],
  ['wpa_passphrase', 'ssid §'],
  ['virsh', 'secret-set-value uuid §', 'secret-set-value uuid --base64 §'],
  ['htpasswd', '-b file me §'],
];

test.each(MASKED)('%s', (names, ...forms) => {
  for (const name of names.split(' ')) {
    for (const form of forms) {
      const line = `${name} ${form.replace('§', 'hunter2Xy9')}`;
      expect(maskSecrets(line)).toBe(`${name} ${form.replace('§', '***')}`);
    }
  }
});

test('each tool of the table is above', () => {
  const names = new Set(MASKED.flatMap(([all]) => all.split(' ')));
  expect([...TOOLS.keys()].filter((name) => !names.has(name))).toEqual([]);
});

test.each('nzsql nzload plink pscp psftp putty'.split(' '))(
  '%s -pw is followed by a password, also if that begins like an option',
  (name) => {
    expect(maskSecrets(`${name} -pw --hunter2Xy9 x`)).toBe(`${name} -pw *** x`);
  },
);

/** The same letters mean something else there. */
test.each([
  ...['mysql -u root -p db', 'mysqldump -p db', 'docker run -p 80:80 x', 'podman run -p 8080 x'],
  ...['ssh -p 22 host', 'zip -r out.zip dir', 'plink -P 22 me@h', 'unrar x a.rar'],
  ...['kubectl create configmap x --from-literal=key=v', 'skopeo inspect -p x', 'etcdctl get x'],
  ...['rclone copy a b', 'vault read secret/x', 'mc cp a b', 'rabbitmqctl list_users'],
  ...['sqlplus @script.sql', 'sqlplus /nolog', 'curl -u me http://h', 'openssl enc -kfile x'],
])('%s is left alone', (line) => {
  expect(maskSecrets(line)).toBe(line);
});
