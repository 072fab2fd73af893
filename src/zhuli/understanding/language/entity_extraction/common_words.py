"""Ordinary English words that are never taken for a mistyped name: "green" is not "Greek", "later" not "latte"."""

COMMON_WORDS = frozenset(
    """
able about above across actually after afternoon again against ahead almost alone along already also although always among
amount another answer anybody anyone anything anyway anywhere apart around arrive arrived asked away baby back badly balance
bank based basic because become been before begin behind being believe below best better between beyond board body book booked
booking books both bottom bought break bring brought build building built business busy call called came cancel card care
carry case cash catch cause center central certain chance change charge charged cheap cheaper check choice choose chosen class
clean clear close closed coffee cold color come coming common company complete concert confirm contact cook cooking corner
correct cost could country couple course cover current daily date dear decide deep deliver delivery dinner direct does doing
dollar done door double doubt down dress drink drive driver during each earlier early easier east easy eating eight either
else email enjoy enough entire even evening event ever every everyone everything evil exactly example except expect extra face
fact fair fall family fancy fast favor feel few field fifth fill final finally find fine finish first fish five flight floor
focus follow food forget form forward found four fresh friday friend friends from front full funny further future gave general
getting give given giving glad goes going gone good grand great green group grow guess guest guests guide half hand happen
happy hard hardly have having head hear heard heart heat heavy hello help helpful here high hold holiday home hope host hotel
hour hours house however huge hundred husband idea image imagine important include indeed indoor info inside instead into
issue item itself join just keep kept kids kind know known lady land large last late later latest lead learn least leave left
less letter level life light like likely limit line list listen little live lived local long look looking lose lost loud love
lovely lower luck lunch made main major make making many march mark matter maybe mean means meant meat meet meeting member
mention menu message might mind mine minute miss modern moment monday money month months more morning most mother mountain
move movie moving much music must name near nearby nearest nearly need needed never next nice night nine nobody none noon
normal north note nothing notice number obvious offer office often okay once only open opened opening option order ordered
other others ought over owner paid part party pass past payment people perfect perhaps person phone pick picture piece place
placed plain plan plane planned plans play please pleased plenty point popular possible prefer present pretty previous price
prices pricey print problem provide public purpose quality question quick quickly quiet quite rain rate rather rating reach
read ready real really reason receive recent record refund remain remember repeat reply request required reserve rest result
return review rice ride right road room rooms round rule running safe said same saturday save saying school score season seat
seats second secure seem seems seen sell send sense sent serve served service seven several shall share sharp shop short
should show shown shows side sign similar simple since single sister site size sleep slow small some somebody someone
something song songs soon sorry sort sound sounds south space spare speak special spend spent spicy sport spot spring staff
stage stand star stars start started state station stay still stop store story straight street strong stuff style such sugar
suggest suit summer sunday super sure table take taken taking talk taste tell term test than thank thanks that their them then
there these they thing things think third this those though thought three through thursday ticket tickets tight till time
times tired title today together told tomorrow tonight took total touch tour toward town track train travel tree trip trouble
true trust trying tuesday turn twelve twenty twice type under unit until upon used useful user using usual usually various
very view visit wait waiting walk wall want wanted wants warm waste watch water weather wednesday week weekend weeks welcome
well went were west what whatever when where whether which while white whole whose wife will window wine winter wish with
within without wonder wonderful word work working works world worry worse worst would write wrong yeah year years yesterday
young your yours
    """.split()
)
