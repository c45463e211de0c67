# A file system that takes every request and answers none, as a server that died: hanging-mount.pl DIRECTORY
# Who looks into it sleeps in the kernel, and no SIGKILL wakes him, until this program ends: when standard input does.
use strict;
use Fcntl;
$^F = 100;    # mount(8) inherits the device
my $directory = $ARGV[0];
sysopen(my $device, '/dev/fuse', O_RDWR) or die "/dev/fuse: $!\n";
my $options = 'fd=' . fileno($device) . ',rootmode=40000,user_id=0,group_id=0,allow_other';
system('mount', '-i', '-t', 'fuse', 'hanging', $directory, '-o', $options) == 0 or exit 1;
$| = 1;
print "mounted\n";
while (1) {
  my ($wanted, $request) = ('', '');
  vec($wanted, fileno($_), 1) = 1 for $device, *STDIN;
  select(my $ready = $wanted, undef, undef, undef);
  last if vec($ready, fileno(STDIN), 1);
  sysread($device, $request, 200_000) or last;
  my (undef, $operation, $unique) = unpack('LLQ', $request);
  # FUSE_INIT is agreed to, protocol 7.31; all others wait for ever.
  syswrite($device, pack('LlQ LLLLSSLLSSLL7', 80, 0, $unique, 7, 31, 0, 0, 9, 9, 4096, 1, (0) x 10))
    if $operation == 26;
}
system('umount', '-l', $directory);
