# Clients that are slow on purpose, and one that is not: clients.pl PORT CONNECTIONS REQUESTS [KIND]
#
# CONNECTIONS sockets are each slow in one of three ways, and begin again as soon as they are cut: `head` sends a request at a
# byte every 2 s, `body` what belongs to a POST, and `deaf` asks for the page again and again and reads nothing. Beside them
# REQUESTS times: a new connection, GET /api/sync-status, all of the answer. Prints, in milliseconds,
# "median M p99 P most X failed F". With CONNECTIONS 1 and REQUESTS 0: "cut after S" instead, in seconds, of one of that KIND.
use strict;
use warnings;
use Errno qw(EAGAIN);
use IO::Socket::INET;
use IO::Select;
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Time::HiRes qw(time sleep);

my ($port, $connections, $requests, $kind) = @ARGV;
my $local = "HTTP/1.1\r\nHost: localhost\r\n";
my $get = "GET / $local\r\n";
# What each sends at once, and what byte by byte.
my %says = (
  head => ['', "GET /api/sync-status ${local}X-Slow: " . ('x' x 1000)],
  body => ["POST /api/sync/disable ${local}Content-Length: 1000\r\n\r\n", 'x' x 999],
  deaf => [$get x 100, $get x 30],
);
my @kinds = sort keys %says;
$SIG{PIPE} = 'IGNORE';

sub connected { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5) }

sub slow_one {
  my ($how) = @_;
  my $socket = connected() or return;
  setsockopt($socket, SOL_SOCKET, SO_RCVBUF, 2048) if $how eq 'deaf';
  $socket->blocking(0);
  syswrite($socket, $says{$how}[0]) if $says{$how}[0];
  return {socket => $socket, how => $how, at => 0, next => time + 2 * rand};
}

# Its next byte; false when it is cut.
sub goes_on {
  my ($one) = @_;
  my $sent = syswrite($one->{socket}, substr($says{$one->{how}}[1], $one->{at}, 1));
  return $! == EAGAIN unless defined $sent;
  ++$one->{at};
  return $sent;
}

if ($requests == 0) {
  my $one = slow_one($kind) or die "no connection\n";
  my $begun = time;
  my $select = IO::Select->new($kind eq 'deaf' ? () : $one->{socket});
  while (goes_on($one) && time < $begun + 30) {
    my $until = time + 0.25;
    while ((my $left = $until - time) > 0) {
      if ($kind eq 'deaf') { sleep $left }
      elsif ($select->can_read($left)) { $until = 0; last }
    }
    last if !$until;
  }
  printf "cut after %.1f\n", time - $begun;
  exit;
}

my $slow = fork // die;
if ($slow == 0) {
  my %open;
  my $made = 0;
  while (getppid() != 1) {
    while (keys %open < $connections) {
      my $one = slow_one($kinds[$made++ % @kinds]) or last;
      $open{$one->{socket}} = $one;
    }
    for my $key (keys %open) {
      my $one = $open{$key};
      next if $one->{next} > time;
      delete $open{$key} if !goes_on($one);
      $one->{next} += 2;
    }
    my $select = IO::Select->new(map { $_->{socket} } grep { $_->{how} ne 'deaf' } values %open);
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
