# A file system that keeps the memory of a process locked: locking-mount.pl DIRECTORY mounts it, with one file in it.
# It lends that file to whoever opens it, and answers no write. A process that maps the file, writes to the mapping and maps
# something else in its place waits for that write with the lock of its memory held, so that whoever reads its
# /proc/PID/environ or /proc/PID/cmdline waits as well. Prints "locked" then. Ends, and lets go, when standard input does, and
# after 60 seconds: `ps` waits so long, too.
# locking-mount.pl --lock DIRECTORY is that process.
use strict;
use Fcntl;
$| = 1;
if ($ARGV[0] eq '--lock') {
  my ($mmap, $read) = `uname -m` =~ /aarch64/ ? (222, 63) : (9, 0);
  sysopen(my $file, "$ARGV[1]/file", O_RDWR) or die "$ARGV[1]/file: $!\n";
  open(my $zeros, '<', '/dev/zero') or die;
  my $at = syscall($mmap, 0, 4096, 3, 1, fileno($file), 0);    # PROT_READ | PROT_WRITE, MAP_SHARED
  syscall($read, fileno($zeros), $at, 16);
  print "locking\n";
  syscall($mmap, $at, 4096, 1, 0x32, -1, 0);    # MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS
  sleep 600;
}
$^F = 100;    # mount(8) inherits the device
my $directory = $ARGV[0];
sysopen(my $device, '/dev/fuse', O_RDWR) or die "/dev/fuse: $!\n";
my $options = 'fd=' . fileno($device) . ',rootmode=40000,user_id=0,group_id=0,allow_other';
system('mount', '-i', '-t', 'fuse', 'locking', $directory, '-o', $options) == 0 or exit 1;
print "mounted\n";

sub reply {
  my ($unique, $error, $answer) = @_;
  syswrite($device, pack('LlQ', 16 + length $answer, $error, $unique) . $answer);
}

sub attributes {
  my ($node) = @_;
  return pack('Q6 L10', $node, 4096, 8, (0) x 6, $node == 1 ? 040777 : 0100666, 1, 0, 0, 0, 4096, 0);
}

my $end = time + 60;
while (time < $end) {
  my ($wanted, $request) = ('', '');
  vec($wanted, fileno($_), 1) = 1 for $device, *STDIN;
  next unless select(my $ready = $wanted, undef, undef, 1);
  last if vec($ready, fileno(STDIN), 1);
  sysread($device, $request, 300_000) or last;
  my (undef, $operation, $unique, $node) = unpack('LLQQ', $request);
  if    ($operation == 26) { reply($unique, 0, pack('LLLLSSLLSSLL7', 7, 31, 0, 0, 9, 9, 4096, 1, (0) x 10)) }
  elsif ($operation == 1)  { reply($unique, 0, pack('Q4L2', 2, 0, 100, 100, 0, 0) . attributes(2)) }    # LOOKUP
  elsif ($operation == 3)  { reply($unique, 0, pack('QLL', 100, 0, 0) . attributes($node)) }            # GETATTR
  elsif ($operation == 14) { reply($unique, 0, pack('QLL', 0, 0, 0)) }                                  # OPEN
  elsif ($operation == 15) { reply($unique, 0, 'x' x 4096) }                                            # READ
  elsif ($operation == 16) { print "locked\n" }                                                         # WRITE
  else                     { reply($unique, -38, '') }
}
system('umount', '-l', $directory);
