# SPDX-License-Identifier: MIT
# needs: ruby
row() {
    ruby -e '
        fibers = 2000.times.map do |i|
            Fiber.new { s = "x" * (i % 100); 5.times { Fiber.yield s.dup }; s.size }
        end
        sum = 0
        6.times { fibers.each { |f| r = f.resume; sum += r.is_a?(String) ? r.size : r } }
        puts sum
        deep = ->(n) { n == 0 ? Fiber.yield(n) : deep.(n - 1) + 1 }
        puts 20.times.map { f = Fiber.new { deep.(200).to_i rescue 0 }; f.resume; f.resume(1) }.sum
        e = Enumerator.new { |y| 1000.times { |i| y << [i] * 3 } }
        puts 1000.times.map { e.next.size }.sum
        puts 50.times.map { |i| Thread.new { (1..500).map { |n| (n * i).to_s }.join.size } }.sum(&:value)
        child = ->(i) { IO.popen("-") { |io| io ? io.read : print((1..1000).map(&:to_s).join.size + i) } }
        puts 10.times.map(&child).join(" ")
        ractors = 4.times.map { |i| Ractor.new(i) { |n| (1..1000).map { |x| x.to_s * n }.sum(&:size) } }
        puts ractors.map(&:take).sum
        GC.start; GC.compact rescue nil
        puts Dir.children("/proc/self/fd").size' 2>warnings
}
