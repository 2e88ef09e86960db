x=5; echo $((x+=1)) $x $((x*2+1)) $((x>5?10:20)) $((1<<4|3)) $(( (2+3)*4 )) $((x++)) $x $((--x)) $((-7%3)) $((!0)) $((0x10))
set -- a "b c" d; echo $# $2 "$3"; shift; echo $1 $#
set -e -- q; set +e; echo $1
y=unexported; env | grep -c '^y='; export y; env | grep '^y='
z=1 env | grep '^z='; echo "z is '$z'"
case hello in h*) echo starts with h;; *) echo other;; esac
case "a*" in "a*") echo literal;; esac
case abc in x|y) echo no
;; a?c) echo yes; echo two
;;
esac
for f in 1 2 3; do case $f in 2) continue;; esac; echo f$f; done
cat <<END
text $y $((1+1)) `echo sub` \$y "quoted"
END
cat <<'END' | wc -l
$y
second
END
cat <<-END
	tab gone
	END
cat <<A; cat <<B
first
A
second
B
echo one \
  two
echo 'sq \
x'
true | false; echo st $?
(exit 3); echo $?
sleep 0.05 & wait; echo w $?
if true; then cat <<E
in if
E
fi
f=3; while [ $f -gt 0 ]; do echo $f; f=$((f-1)); done
echo "${f:-def}" ${nope:-def} ${nope=set} $nope ${#y}
sh -c "exit 7" & p=$!; wait $p; echo $?
