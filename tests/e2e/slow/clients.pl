# Clients that are slow on purpose, and one that is not: clients.pl PORT CONNECTIONS REQUESTS
#
# CONNECTIONS sockets each send a request at a byte every 2 s, and begin again as soon as they are cut. Beside them
# REQUESTS times: a new connection, GET /api/sync-status, all of the answer. Prints, in milliseconds,
# "median M p99 P most X failed F". With CONNECTIONS 1 and REQUESTS 0: "cut after S" instead, in seconds.
use strict;
use warnings;
use IO::Socket::INET;
use IO::Select;
use Time::HiRes qw(time sleep);

my ($port, $connections, $requests) = @ARGV;
my $head = "GET /api/sync-status HTTP/1.1\r\nHost: localhost\r\nX-Slow: " . ('x' x 1000);
$SIG{PIPE} = 'IGNORE';

sub connected { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5) }

if ($requests == 0) {
  my $socket = connected() or die "no connection\n";
  my $begun = time;
  for my $at (0 .. length($head)) {
    syswrite($socket, substr($head, $at, 1)) or last;
    last if IO::Select->new($socket)->can_read(0.5) && !sysread($socket, my $nothing, 1);
  }
  printf "cut after %.1f\n", time - $begun;
  exit;
}

my $slow = fork // die;
if ($slow == 0) {
  my %open;
  while (getppid() != 1) {
    while (keys %open < $connections) {
      my $socket = connected() or last;
      $socket->blocking(0);
      $open{$socket} = {socket => $socket, at => 0, next => time + 2 * rand};
    }
    for my $key (keys %open) {
      my $one = $open{$key};
      if ($one->{next} <= time) {
        my $sent = syswrite($one->{socket}, substr($head, $one->{at}++, 1));
        delete $open{$key} if !$sent;
        $one->{next} += 2;
      }
    }
    my $select = IO::Select->new(map { $_->{socket} } values %open);
    for my $socket ($select->can_read(0.01)) { delete $open{$socket} if !sysread($socket, my $nothing, 4096) }
  }
  exit;
}
sleep 1;    # until all places are taken

my (@took, $failed);
$failed = 0;
for (1 .. $requests) {
  my $begun = time;
  my $answer = '';
  if (my $socket = connected()) {
    syswrite($socket, "GET /api/sync-status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    while (sysread($socket, my $more, 65536)) { $answer .= $more }
  }
  push @took, time - $begun;
  ++$failed unless $answer =~ m{^HTTP/1.1 200 .*"sync_queue_size"}s;
  sleep 0.01;
}
kill 'KILL', $slow;
waitpid $slow, 0;
@took = sort { $a <=> $b } @took;
printf "median %.1f p99 %.1f most %.1f failed %d\n", 1000 * $took[@took / 2], 1000 * $took[@took * 0.99], 1000 * $took[-1], $failed;
