# SPDX-License-Identifier: MIT
row() {
    perl -e '
        my %words; $words{$_ % 5003} .= "word $_;" for 1 .. 200000;
        my $sum = 0; $sum += length for values %words;
        print "$sum\n";
        for my $i (1 .. 50) {
            my $pid = open(my $child, "-|") // die;
            unless ($pid) { my @a = map { "x" x $_ } 1 .. 2000; print scalar(@a), "\n"; exit $i }
            my $said = <$child>; close $child;
            print "$i: ", $? >> 8, " $said";
        }
        opendir(my $fds, "/proc/self/fd"); print join(" ", sort grep { !/^\./ } readdir $fds), "\n";'
    perl -Mthreads -e '
        sub work { my @a = map { [ $_ ] } 1 .. 2000; scalar(@a) + shift }
        my @all = map { threads->create(\&work, $_) } 1 .. 20;
        print join(" ", map { $_->join } @all), "\n";'
}
